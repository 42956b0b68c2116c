"""Which layout of the landed files serves the queries that follow.

    python benchmarks/layout.py [--repeat 3] [--json FILE]

Rows of 500,000 requests, pressed into one busy hour, are written in different orders and with
different settings of the Parquet writer; each is asked the aggregates of include/sql and three
look-ups, by DuckDB with one thread. The orders come first, with the settings that landing and
compaction use; then other settings (*), in the best of the orders.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import inputs
from bartizan.engines.duckdb import connect
from bartizan.engines.sql import render
from bartizan.lake import Lake, planned_files
from bartizan.lake.parquet import HARDLY_REPEATING, leaves
from bartizan.model.window import Window
from contenders import bartizan
from tables import show

AGGREGATES = Path("include/sql/aggregates")
OBJECTS = 10  # of 50,000 records
HOUR = Window.hour(datetime(2026, 11, 1, 12, tzinfo=UTC))
CHUNK_ROWS = 7_000  # how many rows landing sorts at a time: 16 MiB of text
LOOKUPS = {
    "one address": """
        select event_time, webacl, action, host, uri, terminating_rule_id, user_agent
        from waf.requests where client_ip = $address""",
    "one request id": "select * from waf.requests where request_id = $request_id",
    "5 minutes of a web ACL": """
        select client_ip, count(*) from waf.requests
        where event_time >= timestamp '2026-11-01 12:30:00'
            and event_time < timestamp '2026-11-01 12:35:00' and webacl = 'shop-front'
        group by client_ip""",
}

Keys = list[str]


@dataclass(frozen=True)
class Layout:
    """An order of rows, within chunks of so many rows as delivered (None: as a whole), and
    settings of pyarrow's ParquetWriter.
    """

    name: str
    order: Keys = field(default_factory=lambda: list(BEST))
    chunk: int | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    no_dictionary: tuple[str, ...] = HARDLY_REPEATING
    statistics: str = "flat"


BY_TIME: Keys = ["webacl", "event_ms"]
BEST: Keys = ["webacl", "client_ip", "event_ms"]
_TIMES_AND_OFFSETS = ("event_ms", "event_time", "source_offset")
PACKED = {"column_encoding": dict.fromkeys(_TIMES_AND_OFFSETS, "DELTA_BINARY_PACKED")}
LAYOUTS = (
    Layout("chunks by web ACL, time (as landed)", BY_TIME, CHUNK_ROWS),
    Layout("chunks by web ACL, address, time", BEST, CHUNK_ROWS),
    Layout("shuffled", ["record_hash"]),
    Layout("time", ["event_ms"]),
    Layout("web ACL, time", BY_TIME),
    Layout("web ACL, action, rule, time", ["webacl", "action", "terminating_rule_id", "event_ms"]),
    Layout("address, time", ["client_ip", "event_ms"]),
    Layout("web ACL, address, time (*)", BEST),
    Layout("* statistics: none", statistics="none"),
    Layout("* statistics: nested too", statistics="all"),
    Layout("* row groups of 122,880", settings={"row_group_size": 122_880}),
    Layout("* row groups of 32,768", settings={"row_group_size": 32_768}),
    Layout("* dictionaries of unique columns too", no_dictionary=()),
    Layout("* integers delta-packed", settings=PACKED),
    Layout("* data pages v2", settings={"data_page_version": "2.0"}),
    Layout("* zstd level 3", settings={"compression_level": 3}),
    Layout(
        "* Bloom filters, groups of 122,880",
        settings={
            "row_group_size": 122_880,
            "bloom_filter_options": {"client_ip": True, "request_id": True},
        },
    ),
)


@dataclass(frozen=True)
class Measured:
    """`sort` and `write` in CPU microseconds a request, `size` in bytes, queries in CPU ms."""

    layout: str
    sort: float
    write: float
    size: float
    queries: dict[str, float]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    inputs.HOME.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=inputs.HOME) as folder:
        requests, hits = (_one_hour(rows) for rows in landed(Path(folder)))
        results = [
            measured(layout, requests, hits, Path(folder), options.repeat) for layout in LAYOUTS
        ]
    report(results)
    if options.json:
        plain = [asdict(result) for result in results]
        options.json.write_text(json.dumps(plain, indent=2) + "\n", encoding="utf-8")


def landed(folder: Path) -> tuple[pa.Table, pa.Table]:
    """Requests and rule hits of the input, landed as always."""
    source = inputs.linked(inputs.spread(inputs.large(), OBJECTS), folder / "in")
    bartizan(source, folder / "lake")
    lake = Lake.open(folder / "lake")
    requests, hits = (
        pa.concat_tables(
            pq.read_table(file, partitioning=None) for file in planned_files(lake.table(name))
        )
        for name in ("waf.requests", "waf.rule_hits")
    )
    return requests, hits


def measured(
    layout: Layout, requests: pa.Table, hits: pa.Table, folder: Path, repeat: int
) -> Measured:
    files = {name: folder / f"{name}.parquet" for name in ("requests", "rule_hits")}
    sorting, writing = [], []
    for _ in range(repeat):
        start = time.process_time()
        ordered = {"requests": in_order(layout, requests), "rule_hits": in_order(layout, hits)}
        middle = time.process_time()
        for name, rows in ordered.items():
            write(layout, rows, files[name])
        sorting.append(middle - start)
        writing.append(time.process_time() - middle)
        del ordered
    size = sum(file.stat().st_size for file in files.values())
    count = len(requests)
    return Measured(
        layout=layout.name,
        sort=min(sorting) / count * 1e6,
        write=min(writing) / count * 1e6,
        size=size / count,
        queries=queries(files, asked(requests), repeat),
    )


def in_order(layout: Layout, rows: pa.Table) -> pa.Table:
    keys = [(key, "ascending") for key in layout.order if key in rows.column_names]
    chunk = layout.chunk or len(rows)
    return pa.concat_tables(
        rows.slice(start, chunk).sort_by(keys) for start in range(0, len(rows), chunk)
    )


def write(layout: Layout, rows: pa.Table, file: Path) -> None:
    settings = dict(layout.settings)
    flat = [one.name for one in rows.schema if not pa.types.is_nested(one.type)]
    repeating = leaves(one for one in rows.schema if one.name not in layout.no_dictionary)
    for option in ("column_encoding", "bloom_filter_options"):
        if option in settings:  # not every table has every column
            own = {name: value for name, value in settings[option].items() if name in flat}
            settings[option] = own
    statistics = {"flat": flat, "none": False, "all": True}[layout.statistics]
    pq.write_table(
        rows,
        file,
        compression="zstd",
        write_statistics=statistics,
        use_dictionary=repeating,
        **settings,
    )


def asked(requests: pa.Table) -> dict[str, str]:
    """An address of middling frequency and a request id from the middle of the table."""
    counts = requests.column("client_ip").combine_chunks().value_counts()
    by_count = np.argsort(counts.field("counts").to_numpy(), kind="stable")
    address = counts.field("values")[int(by_count[len(by_count) * 9 // 10])].as_py()
    request_id = requests.column("request_id")[len(requests) // 2].as_py()
    return {"address": address, "request_id": request_id}


def queries(files: Mapping[str, Path], given: dict[str, str], repeat: int) -> dict[str, float]:
    """CPU milliseconds of every aggregate and look-up, the best of the repeats."""
    texts = {
        folder.name: render(_query_of(folder).read_text(encoding="utf-8"), HOUR)
        for folder in sorted(AGGREGATES.iterdir())
    }
    costs = {}
    with connect() as connection:
        connection.execute("set threads = 1")
        connection.execute("create schema waf")
        for name, file in files.items():
            source = f"read_parquet('{file}', hive_partitioning = false)"
            connection.execute(f"create view waf.{name} as select * from {source}")
        for name, text in (texts | LOOKUPS).items():
            own = {key: value for key, value in given.items() if f"${key}" in text}

            def ask(name: str = name, text: str = text, own: dict[str, str] = own) -> None:
                rows = connection.execute(text, own).fetchall()
                assert rows or name not in LOOKUPS, f"{name} found nothing"

            costs[name] = least(ask, repeat) * 1e3
    return costs


def _query_of(folder: Path) -> Path:
    own = folder / "query.duckdb.sql"
    return own if own.exists() else folder / "query.sql"


def least(work: Callable[[], None], repeat: int) -> float:
    """CPU seconds of the best repeat."""
    costs = []
    for _ in range(repeat):
        start = time.process_time()
        work()
        costs.append(time.process_time() - start)
    return min(costs)


def _one_hour(rows: pa.Table) -> pa.Table:
    """The rows of a day pressed into `HOUR`, in order of delivery."""
    start = round(HOUR.start.timestamp() * 1000)
    event_ms = rows.column("event_ms").to_numpy()
    pressed = start + (event_ms % 86_400_000) // 24
    for name, values in (
        ("event_ms", pa.array(pressed)),
        ("event_time", pa.array(pressed * 1000).cast(pa.timestamp("us"))),
        ("event_hour", pa.array(np.full(len(rows), HOUR.start.hour, np.int32))),
    ):
        rows = rows.set_column(rows.column_names.index(name), name, values)
    order = np.argsort(pressed // 300_000, kind="stable")
    return rows.take(pa.array(order)).combine_chunks()


def report(results: list[Measured]) -> None:
    """The aggregates as one sum; each by itself is in the JSON file."""
    rows = [
        [
            one.layout,
            f"{one.sort:.1f}",
            f"{one.write:.1f}",
            f"{one.size:.1f}",
            f"{sum(cost for name, cost in one.queries.items() if name not in LOOKUPS):.0f}",
            *(f"{one.queries[name]:.1f}" for name in LOOKUPS),
        ]
        for one in results
    ]
    aggregates = f"{len(results[0].queries) - len(LOOKUPS)} aggregates"
    head = ["layout", "sort us/rec", "write us/rec", "B/rec", aggregates, *LOOKUPS]
    show("layout of one hour; queries in CPU ms, one thread", head, rows)


if __name__ == "__main__":
    main()
