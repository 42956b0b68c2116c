"""A year of hourly history of 10,000 series, backfilled, and what others take for the same files.

    python benchmarks/backfill_year.py [--scale 1.0] [--json FILE]

The aggregate agg_country_1h gets a row for each of 40 web ACLs times 250 countries in every hour:
87.6 million rows, a file a day. Real series have gaps; this is the most there can be. The shipped
connector waf_traffic_by_country is backfilled from it, a CSV file a day, on two cores. The aim is
10 minutes and 4 GB; from 4 GB on the bench fails at any scale. Peers query the day's Parquet file,
sort and write; they plan, conform, check and hash nothing and write no manifests. The bench fails
too when a file's bytes depend on who wrote it.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
from upath import UPath

from bartizan.aggregate import load_tables
from bartizan.crawl.config import load_connector
from bartizan.crawl.history import backfill
from bartizan.crawl.made_by import lake_version
from bartizan.engines.duckdb import DuckDBEngine, connect
from bartizan.engines.sql import render
from bartizan.lake import Lake, add_files, planned_files
from bartizan.lake.parquet import parquet_writer
from bartizan.model.window import DAY, Window, naive
from inputs import HOME
from measure import watch
from tables import show

SQL = Path("include/sql")
TABLE = load_tables(SQL)["agg_country_1h"].spec
CONNECTOR = load_connector(SQL / "connectors" / "waf_traffic_by_country")
START = datetime(2025, 11, 1, tzinfo=UTC)
DAYS, WEBACLS, COUNTRIES = 365, 40, 250
ROWS_A_DAY = 24 * WEBACLS * COUNTRIES
CORES = 2
AIM_SECONDS, AIM_BYTES = 600, 4 * 1024**3
SAMPLED_EVERY = 10  # days, of a slow peer


@dataclass(frozen=True)
class Cost:
    """`wall` and `cpu` in seconds, start and imports included; `peak` memory of the process tree
    and `size` of the CSV files in bytes. A sample's are of the sample.
    """

    contender: str
    rows: int
    wall: float
    cpu: float
    peak: int
    size: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--scale", type=float, default=1.0, help="part of the year")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--run", nargs=3, metavar=("CONTENDER", "LAKE", "OUT"))
    options = parser.parse_args()
    if options.run:
        contend(*options.run)
        return
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])
    HOME.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=HOME) as folder:
        costs = measured(Path(folder).absolute(), max(1, round(DAYS * options.scale)))
    report(costs)
    if options.json:
        plain = [asdict(cost) for cost in costs]
        options.json.write_text(json.dumps(plain, indent=2) + "\n", encoding="utf-8")
    if missed := [cost.contender for cost in costs if not aim_reached(cost)]:
        raise SystemExit(f"10 minutes and 4 GB are missed: {'; '.join(missed)}")


def make_history(root: Path, days: int) -> None:
    """A lake with a file a day, each row of it a series in an hour, added by one commit."""
    lake = Lake.open(root)
    draw = np.random.default_rng(1)
    letters = np.array(list("ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
    codes = np.char.add(np.repeat(letters, 26), np.tile(letters, 26))[:COUNTRIES]
    series = np.tile(np.arange(WEBACLS * COUNTRIES), 24)
    hours = np.repeat(np.arange(24), WEBACLS * COUNTRIES).astype("timedelta64[h]")
    keys = {
        "account_id": pa.repeat("111122223333", ROWS_A_DAY),
        "region": pa.repeat("eu-central-1", ROWS_A_DAY),
        "webacl": pa.array(np.char.mod("web-acl-%02d", series // COUNTRIES)),
        "country": pa.array(codes[series % COUNTRIES]),
    }
    files = []
    for day in _days(days):
        date = np.datetime64(naive(day.start), "D")
        allowed, blocked = draw.poisson(200, ROWS_A_DAY), draw.poisson(10, ROWS_A_DAY)
        columns = keys | {
            "bucket": pa.array(date.astype("datetime64[us]") + hours),
            "event_date": pa.array(np.full(ROWS_A_DAY, date)),
            "requests": pa.array(allowed + blocked),
            "allowed": pa.array(allowed),
            "blocked": pa.array(blocked),
            "unique_ips": pa.array(allowed // 3),
        }
        files.append(lake.data_path(TABLE.name) / f"event_date={date}" / "history.parquet")
        files[-1].parent.mkdir(parents=True)
        with parquet_writer(files[-1], TABLE.schema) as writer:
            writer.write_table(
                pa.table([columns[name] for name in TABLE.schema.names], TABLE.schema)
            )
    add_files(lake.create(TABLE), files, "history")


def _days(count: int) -> Iterator[Window]:
    return Window(START, START + count * DAY).split(DAY)


# --- the contenders, each in a process of its own ----------------------------------------------


def contend(name: str, lake: str, out: str) -> None:
    pa.set_cpu_count(CORES)
    os.environ["POLARS_MAX_THREADS"] = str(CORES)
    CONTENDERS[name](Lake.open(Path(lake)), Path(out))


def bartizan(lake: Lake, out: Path, parallel: int) -> None:
    """As the job does it: every chunk's digest holds the version of the lake's files."""
    windows = [Window(START, START + len(planned_files(lake.table(TABLE.name))) * DAY)]
    backfill(
        DuckDBEngine(lake),
        CONNECTOR,
        UPath(out),
        windows,
        parallel=parallel,
        version=lambda window: lake_version(lake, CONNECTOR, window),
    )


def duckdb_copy(lake: Lake, out: Path) -> None:
    with connect() as connection:
        connection.execute("create schema agg")
        for day, file in _files(lake):
            source = f"read_parquet('{file}', hive_partitioning = false)"
            connection.execute(f"create or replace view {TABLE.name} as from {source}")
            query = f"{render(CONNECTOR.query, day)} order by all"
            connection.execute(f"copy ({query}) to '{_target(out, day)}' (header)")


def polars_csv(lake: Lake, out: Path) -> None:
    import polars as pl  # noqa: PLC0415

    for day, file in _files(lake):
        rows = pl.read_parquet(file, columns=_READ, hive_partitioning=False)
        counts = rows.group_by(_KEYS).agg(pl.col("requests").sum()).sort(_KEYS)
        named = counts.rename({"bucket": CONNECTOR.timestamp})
        named.write_csv(_target(out, day), datetime_format="%Y-%m-%d %H:%M:%S")


def pandas_csv(lake: Lake, out: Path) -> None:
    import pandas as pd  # noqa: PLC0415

    for day, file in list(_files(lake))[::SAMPLED_EVERY]:
        rows = pd.read_parquet(file, columns=_READ, partitioning=None)
        counts = rows.groupby(_KEYS, as_index=False)["requests"].sum()
        named = counts.rename(columns={"bucket": CONNECTOR.timestamp})
        named.to_csv(_target(out, day), index=False)


_KEYS = ["bucket", *CONNECTOR.dimensions]
_READ = [*_KEYS, "requests"]

CONTENDERS: dict[str, Callable[[Lake, Path], None]] = {
    "DuckDB COPY, a file a day": duckdb_copy,
    "Bartizan": lambda lake, out: bartizan(lake, out, parallel=1),
    "Bartizan, 2 chunks at a time": lambda lake, out: bartizan(lake, out, parallel=2),
    "polars write_csv": polars_csv,
    "pandas to_csv, every 10th day": pandas_csv,
}


def _files(lake: Lake) -> Iterator[tuple[Window, str]]:
    files = planned_files(lake.table(TABLE.name))
    return zip(_days(len(files)), files, strict=True)


def _target(out: Path, day: Window) -> Path:
    return out / f"{CONNECTOR.name}_{day.start:%Y%m%dT%H%M}_{day.end:%Y%m%dT%H%M}.csv"


# --- measuring ---------------------------------------------------------------------------------


def measured(folder: Path, days: int) -> list[Cost]:
    """Each contender once. What they wrote is counted, and compared with what the first wrote."""
    with ProcessPoolExecutor(1) as pool:  # a contender's peak would begin at that of making
        pool.submit(make_history, folder / "lake", days).result()
    expected: dict[str, str] = {}
    costs = []
    for name in CONTENDERS:
        out = folder / "out"
        out.mkdir()
        run = ["--run", name, str(folder / "lake"), str(out)]
        cpu, wall, peak = watch([sys.executable, __file__, *run])
        digests, rows, size = _written(out)
        expected = expected or digests
        assert digests.items() <= expected.items(), f"{name} wrote other bytes"
        assert rows == len(digests) * ROWS_A_DAY, f"{name} wrote {rows:,} rows"
        costs.append(Cost(name, rows, wall, cpu, peak, size))
        shutil.rmtree(out)
    assert len(expected) == days
    return costs


def _written(out: Path) -> tuple[dict[str, str], int, int]:
    """Digest by name, rows without headers, and bytes of the CSV files below a folder."""
    digests, rows, size = {}, 0, 0
    for file in out.rglob("*.csv"):
        content = file.read_bytes()
        digests[file.name] = hashlib.sha256(content).hexdigest()
        rows += content.count(b"\n") - 1
        size += len(content)
    return digests, rows, size


def aim_reached(cost: Cost) -> bool:
    return (cost.wall < AIM_SECONDS and cost.peak < AIM_BYTES) or "Bartizan" not in cost.contender


def report(costs: list[Cost]) -> None:
    floor = costs[0].cpu / costs[0].rows
    rows = [
        [
            cost.contender,
            f"{cost.rows:,}",
            f"{cost.wall:.1f}",
            f"{cost.cpu:.1f}",
            f"{cost.rows / cost.wall:,.0f}",
            f"{cost.cpu / cost.rows * 1e6:.2f}",
            f"{cost.cpu / cost.rows / floor:.2f}",
            f"{cost.peak / 1e6:,.0f}",
            f"{cost.size / 1e6:,.0f}",
        ]
        for cost in costs
    ]
    head = ["contender", "rows", "wall s", "CPU s", "rows/s", "CPU us/row", "x COPY"]
    title = (
        f"backfill: {WEBACLS * COUNTRIES:,} series x {costs[0].rows // ROWS_A_DAY} days of hours"
    )
    show(title, [*head, "peak MB", "MB written"], rows)


if __name__ == "__main__":
    main()
