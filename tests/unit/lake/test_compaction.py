"""Compaction: fewer files, the same rows, for readers, publishers and after any kill."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from lake_upkeep import EACH, LANDINGS, Saved, compact_and_die, count_until, fill_in_pieces
from landing_house import START, House
from waf_logs import lines, record, write_object

from bartizan.errors import SourceError, TransientError
from bartizan.jobs.upkeep import ledger
from bartizan.lake import Lake, planned_files, replace_window
from bartizan.lake.batches import Batches
from bartizan.lake.compact import compact, small_files
from bartizan.lake.schemas import LANDED, TableSpec
from bartizan.model.landing import BatchCounts
from bartizan.model.window import HOUR, Window, naive
from bartizan.store.landing import totals

COUNTS = TableSpec(
    "agg.counts",
    pa.schema([("bucket", pa.timestamp("us")), ("event_date", pa.date32()), ("n", pa.int64())]),
    ("event_date",),
)
ALL = BatchCounts(
    records=LANDINGS * (EACH + 1),
    requests=LANDINGS * EACH,
    rule_hits=2 * LANDINGS * EACH,
    quarantined=LANDINGS,
)


@pytest.fixture(scope="module")
def landed(tmp_path_factory: pytest.TempPathFactory) -> Saved:
    root = tmp_path_factory.mktemp("house")
    house = House(root)
    fill_in_pieces(house)
    assert totals(house.store) == ALL
    return Saved(house, root)


@pytest.fixture
def house(landed: Saved) -> House:
    return landed.again()


def compact_all(house: House, **options: int) -> int:
    """Compact every table; returns how many partitions there were to compact."""
    groups = [small for name in LANDED for small in small_files(house.lake, name, **options)]
    for small in groups:
        compact(house.lake, small, ledger(house.store))
    return len(groups)


def files(house: House, name: str = "waf.requests") -> list[str]:
    return planned_files(house.lake.table(name))


def with_dictionary(file: str) -> set[str]:
    group = pq.read_metadata(file).row_group(0)
    columns = [group.column(index) for index in range(group.num_columns)]
    return {one.path_in_schema for one in columns if "RLE_DICTIONARY" in one.encodings}


def test_few_files_hold_the_same_rows_sorted(house: House) -> None:
    before = house.tables()
    assert [rows.total() for rows in before] == [ALL.requests, ALL.rule_hits, ALL.quarantined]
    old = files(house)
    assert len(old) == 2 * LANDINGS
    size = max(Path(file).stat().st_size for file in old)
    assert small_files(house.lake, "waf.requests", target_bytes=size) == []
    assert small_files(house.lake, "waf.requests", most_files=LANDINGS) == []

    assert compact_all(house) == 2 + 2 + 1  # two hours of two tables, and the quarantine
    assert house.tables() == before
    assert [len(files(house, name)) for name in LANDED] == [2, 2, 1]
    assert house.lake.table("waf.requests").scan().to_arrow().num_rows == ALL.requests
    for file in files(house):
        rows = pq.read_table(file, partitioning=None)
        columns = [rows[name].to_pylist() for name in ("webacl", "client_ip", "event_time")]
        order = list(zip(*columns, strict=True))
        assert order == sorted(order)
        assert len(order) == ALL.requests // 2
        assert with_dictionary(file) == with_dictionary(old[0])
    # A reader that planned before still finds its files.
    assert duckdb.sql(f"select count(*) from read_parquet({old})").fetchall() == [(ALL.requests,)]
    assert compact_all(house) == 0


def test_a_large_partition_becomes_several_files(tmp_path: Path) -> None:
    lake = Lake.open(tmp_path / "lake")
    each, parts = 150_000, 2
    for part in range(parts):
        start = START + part * HOUR
        bucket = pa.array([naive(start)] * each, pa.timestamp("us"))
        n = pa.array(range(part * each, (part + 1) * each), pa.int64())
        date = pa.array([start.date()] * each)
        rows = pa.Table.from_arrays([bucket, date, n], schema=COUNTS.schema)
        window = Window(start, start + HOUR)
        replace_window(lake.create(COUNTS), rows, window, "bucket", f"{part}")
    [small] = small_files(lake, "agg.counts", most_files=1)
    nothing = Batches(frozenset(), frozenset())
    done = compact(lake, small, lambda: nothing, target_bytes=300_000)
    found = [
        pq.read_table(file, partitioning=None) for file in planned_files(lake.table("agg.counts"))
    ]
    assert done.files == len(found) == 3
    ordered = pa.concat_tables(found)
    assert ordered["bucket"].to_pylist() == sorted(ordered["bucket"].to_pylist())
    assert sorted(ordered["n"].to_pylist()) == list(range(each * parts))


def test_what_lands_again_after_compaction_is_a_duplicate(house: House) -> None:
    before = house.tables()
    compact_all(house)
    again = [record(number) for number in range(0, 7200, 7200 // EACH)]
    write_object(house.source, "under another key", lines([*again, record(5000)]), START)
    counts = house.land().counts
    assert (counts.requests, counts.duplicates) == (1, EACH)
    assert [(new - old).total() for new, old in zip(house.tables(), before, strict=True)] == [
        1,
        2,
        0,
    ]


@pytest.mark.parametrize("stops_at", ["finish", "requests"])
def test_a_half_published_batch_stops_it(
    house: House, monkeypatch: pytest.MonkeyPatch, stops_at: str
) -> None:
    """What a killed publisher left is ended the same whether compaction ran in between or not."""
    import bartizan.land.publish as publishing

    class Killed(BaseException):
        pass

    def killed(*_: object, **__: object) -> None:
        raise Killed

    commit = publishing.add_files

    def all_but_requests(table: object, *rest: object) -> object:
        return killed() if table.name()[-1] == "requests" else commit(table, *rest)  # type: ignore

    write_object(house.source, "last", lines(record(n) for n in (1, 3, 2000, 4000)), START)
    with monkeypatch.context() as patch, pytest.raises(Killed):
        if stops_at == "finish":
            patch.setattr(publishing, "finish", killed)
        else:
            patch.setattr(publishing, "add_files", all_but_requests)
        house.land()
    before = house.tables()
    with pytest.raises(TransientError, match="half published"):
        compact_all(house)
    assert house.tables() == before

    known = {n for landing in range(LANDINGS) for n in range(landing, 7200, 7200 // EACH)}
    new = [n for n in (1, 3, 2000, 4000) if n not in known]
    assert 0 < len(new) < 4
    house.land()
    assert totals(house.store).requests == ALL.requests + len(new)
    assert totals(house.store).duplicates == 4 - len(new)
    whole = house.tables()
    assert compact_all(house) == 5
    assert house.tables() == whole


def test_rows_that_are_gone_are_noticed(house: House) -> None:
    plan = files(house)
    damaged = pq.read_table(plan[0], partitioning=None)
    pq.write_table(damaged.slice(1), plan[0])
    each = ALL.requests // 2
    with pytest.raises(SourceError, match=rf"{LANDINGS} files of {each} rows became {each - 1} "):
        compact_all(house)
    assert files(house) == plan


def test_killed_before_its_commit_it_changed_nothing_and_runs_again(house: House) -> None:
    before, plan = house.tables(), files(house)
    worker = get_context("spawn").Process(target=compact_and_die, args=(house.lake.root,))
    worker.start()
    worker.join(60)
    assert worker.exitcode == -9
    assert list(house.lake.data_path("waf.requests").rglob("compact-*.parquet"))
    assert (house.tables(), files(house)) == (before, plan)
    assert compact_all(house) == 5
    assert house.tables() == before


def test_a_reader_in_another_process_sees_every_row_all_the_time(
    house: House, tmp_path: Path
) -> None:
    context = get_context("spawn")
    stop, counts = context.Event(), tmp_path / "counts"
    reader = context.Process(target=count_until, args=(house.lake.root, stop, counts))
    reader.start()
    while not counts.exists() and reader.is_alive():
        reader.join(0.05)
    compact_all(house)
    stop.set()
    reader.join(60)
    assert reader.exitcode == 0
    assert set(counts.read_text().split()) == {str(ALL.requests)}


def test_aggregates_that_were_built_hour_by_hour(house: House) -> None:
    lake = house.lake
    table = lake.create(COUNTS)
    for hour in range(24):
        build(table, hour, 1)
    [small] = small_files(lake, "agg.counts")
    assert (small.rows, len(small.files)) == (24, 24)

    build(lake.create(COUNTS), 5, 7)  # another worker, after the plan
    with pytest.raises(TransientError, match="run it again"):
        compact(lake, small, ledger(house.store))
    [small] = small_files(lake, "agg.counts")
    stale = lake.table("agg.counts")
    compact(lake, small, ledger(house.store))
    with pytest.raises(TransientError, match="run it again"):
        build(stale, 6, 8)
    build(lake.table("agg.counts"), 6, 8)
    rows = lake.table("agg.counts").scan().to_arrow().to_pylist()
    assert Counter((r["bucket"].hour, r["n"]) for r in rows) == Counter(
        (hour, {5: 7, 6: 8}.get(hour, 1)) for hour in range(24)
    )


def build(table: object, hour: int, n: int) -> None:
    bucket = datetime(2026, 11, 4, hour, tzinfo=UTC)
    rows = [{"bucket": naive(bucket), "event_date": bucket.date(), "n": n}]
    rows_of_hour = pa.Table.from_pylist(rows, schema=COUNTS.schema)
    replace_window(table, rows_of_hour, Window(bucket, bucket + HOUR), "bucket", f"{hour} {n}")  # type: ignore[arg-type]


def test_an_empty_lake_has_nothing_to_compact(tmp_path: Path) -> None:
    lake = Lake.open(tmp_path / "lake")
    assert [small_files(lake, name) for name in LANDED] == [[], [], []]
