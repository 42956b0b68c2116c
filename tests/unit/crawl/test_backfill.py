"""Backfill: resumed, isolated, in any order and any number of threads the same files."""

from __future__ import annotations

import json
import tempfile
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from engines import TableEngine
from hypothesis import given, settings
from hypothesis import strategies as st
from upath import UPath

from bartizan.crawl import backfill, files, history
from bartizan.model.connector import Connector, Measure
from bartizan.model.window import HOUR, Window

START = datetime(2026, 11, 1, tzinfo=UTC)
TEN = timedelta(minutes=10)
CONNECTOR = Connector(
    name="hits",
    description="",
    frequency=TEN,
    offset=timedelta(0),
    timestamp="timestamp",
    dimensions=("site",),
    measures=(Measure("n"),),
    query="select 1",
)


def source(*minutes: int, n: int = 1) -> TableEngine:
    """One row at each minute since START, whose n is that minute times `n`."""
    start = START.replace(tzinfo=None)
    times = [start + timedelta(minutes=minute) for minute in minutes]
    return TableEngine(
        pa.table(
            {
                "timestamp": pa.array(times, pa.timestamp("us")),
                "site": pa.array(["a"] * len(times), pa.string()),
                "n": pa.array([minute * n for minute in minutes], pa.int64()),
            }
        )
    )


FULL = source(*range(0, 24 * 60, 10))


def hours(first: float, last: float) -> Window:
    return Window(START + first * HOUR, START + last * HOUR)


def tree(folder: Path) -> dict[str, bytes]:
    """What readers see: neither marks nor files that were being written."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in found
        if path.name.endswith((".csv", ".json")) and not path.name.startswith(".")
    }


def numbers(folder: Path) -> list[int]:
    return sorted(
        int(line.split(",")[2])
        for file in (folder / "hits/backtest").glob("*.csv")
        for line in file.read_text().splitlines()[1:]
    )


spans = st.tuples(st.integers(0, 11), st.integers(1, 12), st.integers(1, 5))


@settings(max_examples=12)
@given(runs=st.lists(spans, min_size=1, max_size=5))
def test_backfills_in_any_order_never_hold_an_interval_twice(
    runs: list[tuple[int, int, int]],
) -> None:
    wanted: set[int] = set()
    with tempfile.TemporaryDirectory() as folder:
        for first, length, chunk in runs:
            backfill(FULL, CONNECTOR, UPath(folder), [hours(first, first + length)], chunk * HOUR)
            wanted |= set(range(first * 60, (first + length) * 60, 10))
        manifests = (Path(folder) / "hits/backtest").glob("_manifest*")
        covered = [Window.from_json(json.loads(file.read_text())) for file in manifests]
        assert numbers(Path(folder)) == sorted(wanted)
    assert sum((w.end - w.start for w in covered), timedelta()) == len(wanted) * TEN


class Killed(BaseException):
    """Not an Exception, like the signal that ends a process."""


def killing(step: int, change: Callable[..., None], count: list[int]) -> Callable[..., None]:
    """`change`, but the one numbered `step` does not happen any more."""

    def changed(*args: object, **kwargs: object) -> None:
        count[0] += 1
        if count[0] == step:
            raise Killed
        change(*args, **kwargs)

    return changed


@settings(max_examples=40)
@given(earlier=st.lists(spans, max_size=2), step=st.integers(1, 25), again=st.integers(1, 25))
def test_a_killed_backfill_is_resumed_without_a_difference(
    earlier: list[tuple[int, int, int]], step: int, again: int
) -> None:
    """Killed at any change of any file, twice, also where files of other ranges are replaced."""
    with (
        tempfile.TemporaryDirectory() as one,
        tempfile.TemporaryDirectory() as other,
        pytest.MonkeyPatch.context() as patch,
    ):
        for folder in (one, other):
            for first, length, chunk in earlier:
                window = hours(first, first + length)
                backfill(FULL, CONNECTOR, UPath(folder), [window], chunk * HOUR)
        later, wanted = source(*range(0, 24 * 60, 10), n=2), [hours(3, 15)]
        new = replace(CONNECTOR, query="select 2")
        put, remove = files.put, files.MetricFile.remove
        for last in (step, again):
            count = [0]
            patch.setattr(files, "put", killing(last, put, count))
            patch.setattr(history, "put", killing(last, put, count))
            patch.setattr(files.MetricFile, "remove", killing(last, remove, count))
            try:
                backfill(later, new, UPath(one), wanted, 4 * HOUR)
            except Killed:
                continue
        patch.undo()
        backfill(later, new, UPath(one), wanted, 4 * HOUR)
        backfill(later, new, UPath(other), wanted, 4 * HOUR)
        assert tree(Path(one)) == tree(Path(other))
        assert backfill(later, new, UPath(one), wanted, 4 * HOUR).written == 0


def test_what_is_there_is_not_queried_again_unless_its_source_changed(tmp_path: Path) -> None:
    metrics, window, told = UPath(tmp_path), [hours(0, 6)], list[tuple[int, int]]()

    def stop(done: int, total: int) -> None:
        told.append((done, total))
        if done == 2:
            raise KeyboardInterrupt

    def run(engine: TableEngine, **options: object) -> tuple[history.BackfillResult, list[Window]]:
        before = len(engine.windows)
        result = backfill(engine, CONNECTOR, metrics, window, 2 * HOUR, **options)  # type: ignore[arg-type]
        return result, engine.windows[before:]

    with pytest.raises(KeyboardInterrupt):
        run(FULL, on_progress=stop)
    resumed, queried = run(FULL, on_progress=lambda done, total: told.append((done, total)))
    assert (resumed.kept, resumed.written, resumed.rows) == (2, 1, 36)
    assert queried == [hours(4, 6)]
    assert told == [(1, 3), (2, 3), (3, 3)]

    def version(part: Window) -> str:
        return "late" if part == hours(2, 4) else ""

    late, queried = run(source(*range(0, 360, 10), 125), version=version)
    assert (late.kept, late.written, late.rows, queried) == (2, 1, 37, [hours(2, 4)])
    assert run(FULL, version=version)[1] == []

    (tmp_path / "hits/backtest/hits_20261101T0000_20261101T0200.csv").unlink()
    assert run(FULL, version=version)[1] == [hours(0, 2)]
    assert run(FULL, version=version, force=True)[0].unchanged == 2
    assert numbers(tmp_path) == list(range(0, 360, 10))
    other = replace(CONNECTOR, filters=(("site", ("b",)),))
    assert backfill(FULL, other, metrics, window, 2 * HOUR).written == 3
    assert numbers(tmp_path) == []


def test_a_dry_run_queries_and_writes_nothing(tmp_path: Path) -> None:
    metrics, engine = UPath(tmp_path), source(*range(0, 360, 10))
    backfill(engine, CONNECTOR, metrics, [hours(2, 4)], 2 * HOUR)
    before, engine.windows = tree(tmp_path), []
    plan = backfill(engine, CONNECTOR, metrics, [hours(0, 6)], 2 * HOUR, dry_run=True)

    assert (plan.chunks, plan.kept, plan.written, plan.rows) == (3, 1, 2, 12)
    assert [(scan.table, scan.files, scan.rows) for scan in plan.reads] == [("table", None, 24)]
    assert (engine.windows, tree(tmp_path)) == ([], before)


@settings(max_examples=12)
@given(parallel=st.integers(2, 4), chunk=st.integers(1, 7))
def test_threads_write_the_same_files(parallel: int, chunk: int) -> None:
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as many:
        windows: Sequence[Window] = [hours(0, 5), hours(7.5, 24)]
        told: list[int] = []
        for folder, threads in ((one, 1), (many, parallel)):
            result = backfill(
                FULL, CONNECTOR, UPath(folder), windows, chunk * HOUR,
                lambda done, total: told.append(done), parallel=threads,
            )  # fmt: skip
        assert tree(Path(one)) == tree(Path(many))
        assert told == [*range(1, result.chunks + 1)] * 2


def test_a_stray_file_of_a_chunks_range_is_replaced(tmp_path: Path) -> None:
    backfill(FULL, CONNECTOR, UPath(tmp_path), [hours(0, 2)])
    stray = tmp_path / "hits/backtest/hits_20261101T0100_20261101T0130.csv"
    stray.write_text("timestamp,site,n\n2026-11-01 01:00:00,a,999\n")
    assert backfill(FULL, CONNECTOR, UPath(tmp_path), [hours(0, 2)]).kept == 0
    assert numbers(tmp_path) == list(range(0, 120, 10))


def test_after_an_error_no_further_chunk_begins(tmp_path: Path) -> None:
    stopped = threading.Event()

    class Waiting(TableEngine):
        """Answers the first query at once, the others when it was stopped."""

        def query(self, *args: Any, **kwargs: Any) -> pa.Table:
            if self.windows:
                stopped.wait(10)
            return super().query(*args, **kwargs)

    def stop(done: int, total: int) -> None:
        threading.Timer(0.05, stopped.set).start()
        raise KeyboardInterrupt

    engine = Waiting(FULL.table)
    with pytest.raises(KeyboardInterrupt):
        backfill(engine, CONNECTOR, UPath(tmp_path), [hours(0, 24)], HOUR, stop, parallel=3)
    assert len(engine.windows) <= 4


names = st.from_regex(
    r"_?[a-z_]{1,12}_?(20261101T0[0-3]00_)?[a-z0-9T]{0,9}\.(csv|json)", fullmatch=True
)
alike = st.sampled_from(
    [
        "hits_more_20261101T0000_20261101T0200.csv",
        "hits_20261332T0000_20261101T0200.csv",
        "hits_20261101T0200_20261101T0100.csv",
        "hits.csv",
        "_writing_x",
    ]
)
foreign = st.lists(names | alike, max_size=6)


@settings(max_examples=25)
@given(
    others=foreign,
    place=st.sampled_from(["hits/backtest", "hits/backtest/old", "hits/live/x", "hit", "."]),
)
def test_nothing_but_its_own_files_is_touched(others: list[str], place: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / place
        root.mkdir(parents=True, exist_ok=True)
        for number, name in enumerate(others):
            (root / name).write_text(str(number))
        kept = {root / name: (root / name).stat() for name in others}
        backfill(FULL, CONNECTOR, UPath(folder), [hours(0, 3)], HOUR)
        backfill(FULL, replace(CONNECTOR, query="x"), UPath(folder), [hours(0, 6)], 4 * HOUR)
        for path, stat in kept.items():
            assert (path.stat().st_mtime_ns, path.stat().st_ino) == (stat.st_mtime_ns, stat.st_ino)
        ours = {path for path in Path(folder).rglob("*") if path.is_file()} - set(kept)
        assert {path.parent for path in ours} == {Path(folder) / "hits/backtest"}
        assert all("hits_20261101T" in path.name for path in ours)
