"""The shipped aggregates over 50 million records: in the lake, in plain Parquet, in the logs.

    python benchmarks/aggregates_50m.py [--scale 1.0] [--json FILE] [--keep]

Two million records of a day (40 objects of 50,000) are landed and become 25 days
(benchmarks/many_days.py), once in the lake's layout and once as one Parquet file a table, in random
order. Every query is asked of one day and of all; of the gzip JSON only those that flat fields of
the log answer, and of one day only: 25 days of it would be 25 times the same work. All three give
the same rows, or the bench fails; so it does when the lake takes 4 GB of memory or more.

The JSON gets views that name just the fields those queries need, with their types: without that
DuckDB reads the logs two to three times as slowly.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

import inputs
import many_days
from bartizan.aggregate import load_tables
from bartizan.aggregate.build import query_windows
from bartizan.aggregate.spec import Query
from bartizan.engines import EngineName
from bartizan.engines.duckdb import DuckDBEngine, connect
from bartizan.engines.sql import render
from bartizan.lake import Lake
from bartizan.model.window import DAY, Window
from measure import watch
from tables import show

DAYS, OBJECTS = 25, 40
LARGE_OBJECTS = 44  # to choose from
CORES = 2
AIM_BYTES = 4 * 1024**3
FIRST = datetime(2026, 11, 1, tzinfo=UTC)
ALL = Window(FIRST, FIRST + DAYS * DAY)
ONE = Window(FIRST, FIRST + DAY)  # the day that the logs are of
OF_ONE, OF_ALL = "1", str(DAYS)
WINDOWS = {OF_ONE: ONE, OF_ALL: ALL}
REPEATS = {OF_ONE: 3, OF_ALL: 1}
BY_RULE = "by terminating rule"
OF_LOGS = ("agg_action_5m", "agg_country_1h", "agg_ip_5m", "agg_uri_5m", BY_RULE)
QUERIES = {
    name: table.query(EngineName.DUCKDB).text
    for name, table in load_tables(Path("include/sql")).items()
} | {
    BY_RULE: """
        select
            date_trunc('hour', event_time) as bucket, webacl, action, terminating_rule_id,
            count(*) as requests, count(distinct client_ip) as unique_ips
        from waf.requests
        where event_time >= {{ start }} and event_time < {{ end }}
        group by all"""
}
LOGS = """
    create view waf.requests as select
        make_timestamp(timestamp * 1000) as event_time,
        split_part(webaclId, ':', 5) as account_id,
        if(split_part(webaclId, ':', 6) like 'global/%', 'cloudfront', split_part(webaclId, ':', 4))
            as region,
        split_part(webaclId, '/', 3) as webacl,
        action,
        terminatingRuleId as terminating_rule_id,
        terminatingRuleType as terminating_rule_type,
        httpSourceName as source_name,
        httpRequest.clientIp as client_ip,
        httpRequest.country as country,
        httpRequest.host as host,
        httpRequest.httpMethod as method,
        httpRequest.uri as uri,
        requestBodySize as request_body_size
    from read_json('{files}', format = 'newline_delimited', columns = {{
        timestamp: 'bigint', webaclId: 'varchar', action: 'varchar', terminatingRuleId: 'varchar',
        terminatingRuleType: 'varchar', httpSourceName: 'varchar', requestBodySize: 'bigint',
        httpRequest: 'struct(
            clientIp varchar, country varchar, host varchar, httpMethod varchar, uri varchar)'
    }})"""

Ask = Callable[[str, Window], pa.Table]


@dataclass(frozen=True)
class Answer:
    """`wall` seconds of the best repeat; rows of the result and a digest of them in any order."""

    wall: float
    rows: int
    digest: str


@dataclass(frozen=True)
class Run:
    """One process that asked one store all queries of one window; `peak` in bytes."""

    store: str
    days: str
    answers: Mapping[str, Answer]
    peak: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--scale", type=float, default=1.0, help="part of the 40 objects a day")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--keep", action="store_true", help="keep the files, 11 GB")
    parser.add_argument("--run", nargs=4, metavar=("STORE", "FOLDER", "DAYS", "SAID"))
    options = parser.parse_args()
    if options.run:
        ask_all(*options.run)
        return
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])
    objects = max(1, round(OBJECTS * options.scale))
    folder = (inputs.HOME / f"days-{DAYS}x{objects}").absolute()
    try:
        with ProcessPoolExecutor(1) as pool:  # a contender's peak would begin at that of making
            pool.submit(make, folder, objects).result()
        records, sizes = counted(folder)
        runs = [run(store, folder, days) for days in WINDOWS for store in stores(days)]
    finally:
        if not options.keep:
            shutil.rmtree(folder, ignore_errors=True)
    require_same(runs)
    report(runs, records, sizes)
    if options.json:
        plain = {"records": records, "bytes": sizes, "runs": [asdict(one) for one in runs]}
        options.json.write_text(json.dumps(plain, indent=2) + "\n", encoding="utf-8")
    peak = max(one.peak for one in runs if one.store == "lake")
    if peak >= AIM_BYTES:
        raise SystemExit(f"4 GB are missed: the lake's queries took {peak / 1e6:,.0f} MB")


def make(folder: Path, objects: int) -> None:
    """The three stores, unless they were kept."""
    if (folder / "_done").exists():
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    chosen = inputs.spread(inputs.large(LARGE_OBJECTS), objects)
    one_day = many_days.land(inputs.linked(chosen, folder / "logs"), folder / "one")
    many_days.copy_to_lake(one_day, Lake.open(folder / "lake"), DAYS)
    many_days.copy_unsorted(one_day, folder / "unsorted", DAYS)
    (folder / "_done").touch()


def counted(folder: Path) -> tuple[int, dict[str, int]]:
    """Requests of all days, the same in both kinds of Parquet, and the bytes of each store."""
    files = {store: sorted((folder / store).rglob("*.parquet")) for store in ("lake", "unsorted")}
    sizes = {store: sum(file.stat().st_size for file in found) for store, found in files.items()}
    of_logs = sum(file.stat().st_size for file in (folder / "logs").rglob("*.gz"))
    records = {
        sum(pq.read_metadata(file).num_rows for file in found if "requests" in str(file))
        for found in files.values()
    }
    [count] = records
    return count, sizes | {"logs of one day": of_logs}


# --- asking, in a process of its own ------------------------------------------------------------


def stores(days: str) -> list[str]:
    return [store for store in STORES if store != "logs" or days == OF_ONE]


def ask_all(store: str, folder: str, days: str, said: str) -> None:
    ask = STORES[store](Path(folder))
    asked = OF_LOGS if store == "logs" else QUERIES
    answers = {name: answered(ask, name, days) for name in asked}
    plain = {name: asdict(answer) for name, answer in answers.items()}
    Path(said).write_text(json.dumps(plain), encoding="utf-8")


def answered(ask: Ask, name: str, days: str) -> Answer:
    walls = []
    for _ in range(REPEATS[days]):
        start = time.perf_counter()
        rows = ask(QUERIES[name], WINDOWS[days])
        walls.append(time.perf_counter() - start)
    with connect() as connection:
        connection.register("result", rows)
        [[digest]] = connection.sql("select bit_xor(hash(result)) from result").fetchall()
    return Answer(min(walls), rows.num_rows, str(digest))


def lake(folder: Path) -> Ask:
    """In as many queries as a build; planning and opening included: the engine is always new."""
    opened = Lake.open(folder / "lake")

    def ask(query: str, window: Window) -> pa.Table:
        parts = query_windows(DuckDBEngine(opened), Query(query, "bench"), [window])
        return pa.concat_tables(DuckDBEngine(opened).query(query, part) for part in parts)

    return ask


def unsorted(folder: Path) -> Ask:
    files = {name: many_days.unsorted_file(folder / "unsorted", name) for name in many_days.TABLES}
    views = [f"create view {name} as from read_parquet('{file}')" for name, file in files.items()]
    return _duckdb(folder, views)


def logs(folder: Path) -> Ask:
    return _duckdb(folder, [LOGS.format(files=folder / "logs" / "**" / "*.gz")])


def _duckdb(folder: Path, views: Sequence[str]) -> Ask:
    connection = connect()
    connection.execute(f"set temp_directory = '{folder / 'spilled'}'")
    connection.execute("create schema waf")
    for view in views:
        connection.execute(view)
    return lambda query, window: connection.sql(render(query, window)).to_arrow_table()


STORES: dict[str, Callable[[Path], Ask]] = {"lake": lake, "unsorted": unsorted, "logs": logs}


# --- measuring ----------------------------------------------------------------------------------


def run(store: str, folder: Path, days: str) -> Run:
    said = folder / f"said-{store}-{days}.json"
    command = [sys.executable, __file__, "--run", store, str(folder), days, str(said)]
    _, _, peak = watch(command)
    plain: dict[str, dict[str, Any]] = json.loads(said.read_text())
    return Run(store, days, {name: Answer(**answer) for name, answer in plain.items()}, peak)


def require_same(runs: Sequence[Run]) -> None:
    """Raises when a store gives other rows than the lake."""
    of_lake = {one.days: one.answers for one in runs if one.store == "lake"}
    for one in runs:
        for name, answer in one.answers.items():
            own = of_lake[one.days][name]
            same = (answer.rows, answer.digest) == (own.rows, own.digest)
            assert same, f"{name}, {one.days} days: {one.store} gives other rows than the lake"


def report(runs: Sequence[Run], records: int, sizes: Mapping[str, int]) -> None:
    by_store = {(one.store, one.days): one for one in runs}
    for days in WINDOWS:
        count = records * int(days) // DAYS
        own = by_store["lake", days]
        others = [by_store[store, days] for store in stores(days) if store != "lake"]
        rows = [_line(name, own, others, count) for name in QUERIES]
        head = ["query", "rows of it", "lake s", "records/s"]
        head += [text for one in others for text in (f"{one.store} s", "x lake")]
        show(f"{count:,} records, days: {days}", head, rows)
        peaks = ", ".join(f"{one.store} {one.peak / 1e6:,.0f}" for one in (own, *others))
        print(f"  peak MB: {peaks}")
    print("\nGB: " + ", ".join(f"{name} {size / 1e9:.2f}" for name, size in sizes.items()))


def _line(name: str, own: Run, others: Sequence[Run], records: int) -> list[str]:
    answer = own.answers[name]
    line = [name, f"{answer.rows:,}", f"{answer.wall:.2f}", f"{records / answer.wall:,.0f}"]
    for other in others:
        its = other.answers.get(name)
        line += [f"{its.wall:.2f}", f"{its.wall / answer.wall:.1f}"] if its else ["", ""]
    return line


if __name__ == "__main__":
    main()
