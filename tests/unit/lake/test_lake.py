"""The lake: rows appear by whole commits, once a batch, and only where they belong."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from threading import Barrier

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from lakes import requests
from landing_worker import open_lake

from bartizan.errors import TransientError, UsageError
from bartizan.lake import Lake, add_files, planned_files, replace_window
from bartizan.lake.schemas import TableSpec
from bartizan.lake.staged import hour_of, staged_file
from bartizan.model.window import HOUR, Window, naive

START = datetime(2026, 11, 1, 22, tzinfo=UTC)  # the third hour is of another day
COUNTS = TableSpec("agg.counts", pa.schema([("bucket", pa.timestamp("us")), ("n", pa.int64())]))


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    lake = Lake.open(tmp_path / "lake")
    lake.create(COUNTS)
    return lake


def hours(first: int, last: int) -> Window:
    return Window(START + first * HOUR, START + last * HOUR)


def write(lake: Lake, batch_id: str, hour: int, count: int) -> Path:
    """A staged file of `count` requests in the hour."""
    start = START + hour * HOUR
    file = staged_file(lake, "waf.requests", batch_id, start)
    file.parent.mkdir(parents=True, exist_ok=True)
    times = [start + timedelta(seconds=number) for number in range(count)]
    pq.write_table(requests(times, batch_id=batch_id), file)
    return file


def counts(first: int, last: int, n: int) -> pa.Table:
    """A row an hour."""
    rows = [{"bucket": naive(START + hour * HOUR), "n": n} for hour in range(first, last)]
    return pa.Table.from_pylist(rows, schema=COUNTS.schema)


def seen(lake: Lake) -> dict[int, int]:
    """`n` by hour as a reader finds it."""
    rows = lake.table("agg.counts").scan().to_arrow().to_pylist()
    found = {(row["bucket"] - naive(START)) // HOUR: row["n"] for row in rows}
    assert len(found) == len(rows), "an hour has two rows"
    return found


def test_files_are_invisible_until_their_one_commit(lake: Lake) -> None:
    files = [write(lake, "a", hour, 10 + hour) for hour in range(3)]
    assert lake.table("waf.requests").scan().count() == 0
    assert planned_files(lake.table("waf.requests")) == []

    assert add_files(lake.table("waf.requests"), files, "a") is True
    assert lake.table("waf.requests").scan().count() == 10 + 11 + 12
    assert len(lake.table("waf.requests").snapshots()) == 1


def test_a_batch_is_added_once_however_often_it_is_tried(lake: Lake) -> None:
    add_files(lake.table("waf.requests"), [write(lake, "a", 0, 5)], "a")
    add_files(lake.table("waf.requests"), [write(lake, "b", 0, 7)], "b")
    before = lake.table("waf.requests").metadata_location

    again = write(lake, "a", 1, 100)
    assert add_files(lake.table("waf.requests"), [again], "a") is False
    assert lake.table("waf.requests").metadata_location == before
    assert lake.table("waf.requests").scan().count() == 5 + 7


def test_a_file_with_other_columns_is_refused_and_nothing_is_added(lake: Lake) -> None:
    good, bad = write(lake, "a", 0, 5), write(lake, "a", 1, 5)
    pq.write_table(pa.table({"event_time": pa.array([naive(START)]), "colour": ["red"]}), bad)
    with pytest.raises(ValueError, match="colour"):
        add_files(lake.table("waf.requests"), [good, bad], "a")
    assert lake.table("waf.requests").scan().count() == 0


def test_a_plan_holds_the_files_of_the_window_only(lake: Lake) -> None:
    files = [write(lake, batch_id, hour, 20) for batch_id in "ab" for hour in range(4)]
    add_files(lake.table("waf.requests"), files, "both")

    table = lake.table("waf.requests")
    assert planned_files(table) == sorted(map(str, files))
    for window in (hours(0, 1), hours(1, 3), hours(3, 9)):
        wanted = [file for file in files if hour_of(file) in window]
        assert 0 < len(wanted) < len(files)
        assert planned_files(table, window) == sorted(map(str, wanted))
    assert planned_files(table, hours(4, 9)) == []


def test_replacing_a_window_leaves_the_others_alone(lake: Lake) -> None:
    replace_window(lake.table("agg.counts"), counts(0, 6, 1), hours(0, 6), "bucket", "first")
    replace_window(lake.table("agg.counts"), counts(2, 4, 2), hours(2, 4), "bucket", "second")
    assert seen(lake) == {0: 1, 1: 1, 2: 2, 3: 2, 4: 1, 5: 1}
    replace_window(lake.table("agg.counts"), counts(2, 3, 3), hours(2, 4), "bucket", "third")
    assert seen(lake) == {0: 1, 1: 1, 2: 3, 4: 1, 5: 1}
    replace_window(lake.table("agg.counts"), counts(0, 0, 0), hours(4, 6), "bucket", "empty")
    assert seen(lake) == {0: 1, 1: 1, 2: 3}


@pytest.mark.parametrize(("first", "last"), [(1, 4), (2, 5)], ids=["before", "at its end"])
def test_rows_outside_the_window_are_refused(lake: Lake, first: int, last: int) -> None:
    replace_window(lake.table("agg.counts"), counts(0, 6, 1), hours(0, 6), "bucket", "first")
    with pytest.raises(UsageError, match="1 of 3 rows lie outside"):
        replace_window(
            lake.table("agg.counts"), counts(first, last, 2), hours(2, 4), "bucket", "second"
        )
    assert seen(lake) == dict.fromkeys(range(6), 1)


def test_workers_on_different_windows_both_win(lake: Lake) -> None:
    for first in (0, 4):
        replace_window(
            lake.table("agg.counts"),
            counts(first, first + 4, 1),
            hours(first, first + 4),
            "bucket",
            f"built {first}",
        )
    both_loaded = Barrier(2, timeout=30)

    def work(first: int) -> None:
        table = Lake.open(lake.root).table("agg.counts")
        both_loaded.wait()
        window = hours(first, first + 4)
        replace_window(table, counts(first, first + 4, first + 2), window, "bucket", f"{first}")

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, (0, 4)))
    assert seen(lake) == {0: 2, 1: 2, 2: 2, 3: 2, 4: 6, 5: 6, 6: 6, 7: 6}


def test_a_worker_with_an_old_view_of_its_window_is_told_to_run_again(lake: Lake) -> None:
    replace_window(lake.table("agg.counts"), counts(0, 4, 1), hours(0, 4), "bucket", "first")
    stale = lake.table("agg.counts")
    replace_window(lake.table("agg.counts"), counts(0, 2, 2), hours(0, 2), "bucket", "newer")
    with pytest.raises(TransientError, match="another worker changed"):
        replace_window(stale, counts(0, 4, 3), hours(0, 4), "bucket", "older")
    assert seen(lake) == {0: 2, 1: 2, 2: 1, 3: 1}


def test_a_worker_whose_rows_share_a_file_with_newer_ones_is_told_to_run_again(lake: Lake) -> None:
    replace_window(lake.table("agg.counts"), counts(0, 8, 1), hours(0, 8), "bucket", "one file")
    stale = lake.table("agg.counts")
    replace_window(lake.table("agg.counts"), counts(0, 4, 2), hours(0, 4), "bucket", "newer")
    with pytest.raises(TransientError, match="run it again"):
        replace_window(stale, counts(4, 8, 3), hours(4, 8), "bucket", "other hours")
    replace_window(lake.table("agg.counts"), counts(4, 8, 3), hours(4, 8), "bucket", "other hours")
    assert seen(lake) == dict.fromkeys(range(4), 2) | dict.fromkeys(range(4, 8), 3)


def test_a_lake_opens_again_with_what_it_held(lake: Lake) -> None:
    add_files(lake.table("waf.requests"), [write(lake, "a", 0, 5)], "a")
    again = Lake.open(lake.root)
    assert again.names() == ["agg.counts", "waf.quarantine", "waf.requests", "waf.rule_hits"]
    assert again.table("waf.requests").scan().count() == 5


def test_several_workers_may_be_the_first_to_open_a_lake(tmp_path: Path) -> None:
    context = get_context("spawn")
    workers = [context.Process(target=open_lake, args=(tmp_path / "lake",)) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
