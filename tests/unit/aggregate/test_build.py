"""Which windows are rebuilt, what is in the table afterwards, and what stops a build."""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lakes import SmallLake, requests

from bartizan.aggregate import (
    AggregateTable,
    BuildResult,
    build,
    build_all,
    due_windows,
    load_tables,
)
from bartizan.aggregate.build import query_windows
from bartizan.aggregate.checks import Check
from bartizan.aggregate.spec import Query
from bartizan.config import PROJECT
from bartizan.engines import EngineName
from bartizan.errors import ConfigError, TransientError, UsageError, ValidationFailed
from bartizan.lake import replace_window
from bartizan.model.window import DAY, HOUR, Window, floor, merged, naive
from bartizan.store.aggregates import CheckResult, Level, check_results

START = datetime(2026, 11, 1, tzinfo=UTC)
TABLES = load_tables(PROJECT / "include" / "sql")
ACTIONS = TABLES["agg_action_5m"]


def at(*minutes: float) -> list[datetime]:
    return [START + timedelta(minutes=minute) for minute in minutes]


@pytest.fixture
def small(tmp_path: Path) -> SmallLake:
    return SmallLake.open(tmp_path)


def counts(small: SmallLake, table: AggregateTable = ACTIONS) -> Counter[datetime]:
    rows = small.lake.table(table.spec.name).scan().to_arrow()
    return Counter(dict(zip(*(rows[c].to_pylist() for c in ("bucket", "requests")), strict=True)))


def run(
    small: SmallLake, *windows: Window, table: AggregateTable = ACTIONS, force: bool = False
) -> BuildResult:
    return build(small.store, small.lake, small.engine, table, windows or None, force)


landing = st.lists(st.integers(0, 4 * 12 - 1), min_size=1, max_size=5)


@settings(max_examples=3)
@given(steps=st.lists(landing, min_size=1, max_size=2), first=st.integers(0, 3))
def test_any_order_of_landing_and_building_ends_with_every_request_counted_once(
    steps: list[list[int]], first: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        small = SmallLake.open(Path(folder))
        expected: Counter[datetime] = Counter()
        for number, slots in enumerate(steps):
            times = at(*(slot * 5 + 4.9 for slot in slots))
            small.land(str(number), requests=requests(times))
            expected += Counter(naive(floor(time, timedelta(minutes=5))) for time in times)
            run(small, Window.hour(START + first * HOUR))
            run(small)

            assert counts(small) == expected
            snapshot = small.lake.table("agg.agg_action_5m").current_snapshot()
            assert run(small).windows == ()
            assert small.lake.table("agg.agg_action_5m").current_snapshot() == snapshot


def test_only_changed_hours_are_due_and_only_inside_the_windows_asked_for(small: SmallLake) -> None:
    small.land("a", requests=requests(at(0, 60, 300)))
    early, late = Window(START, START + 2 * HOUR), Window.hour(START + 5 * HOUR)

    assert due_windows(small.store, ACTIONS) == [early, late]
    assert due_windows(small.store, ACTIONS, [Window(*at(301, 302))]) == [late]
    assert due_windows(small.store, replace(ACTIONS, frequency=DAY)) == [Window(START, START + DAY)]

    assert run(small, late).windows == (late,)
    assert due_windows(small.store, ACTIONS) == [early]
    assert due_windows(small.store, ACTIONS, [late], force=True) == [late]
    assert run(small, late, force=True).rows == 1


def test_a_late_record_rewrites_its_own_day_only(small: SmallLake) -> None:
    small.land("a", requests=requests(at(0, 24 * 60, 24 * 60 + 61)))
    run(small)
    before = files_by_day(small)
    small.land("late", requests=requests(at(24 * 60 + 1)))

    assert run(small).windows == (Window.hour(START + DAY),)

    after = files_by_day(small)
    assert before["2026-11-01"] == after["2026-11-01"]
    assert before["2026-11-02"].isdisjoint(after["2026-11-02"])
    day = naive(START + DAY)
    assert counts(small) == {day - DAY: 1, day: 2, day + timedelta(minutes=60): 1}


def files_by_day(small: SmallLake) -> dict[str, set[str]]:
    tasks = small.lake.table("agg.agg_action_5m").scan().plan_files()
    days: dict[str, set[str]] = {}
    for task in tasks:
        day = task.file.file_path.split("event_date=")[1].split("/")[0]
        days.setdefault(day, set()).add(task.file.file_path)
    return days


def test_a_failed_check_publishes_nothing_and_the_window_stays_due(small: SmallLake) -> None:
    small.land("a", requests=requests(at(0)))
    run(small)
    small.land("b", requests=requests(at(1)))
    mark = "select bucket from result where requests > 1"
    fail, warn = (Check(f"{level}_it", level, mark, "checks.sql") for level in Level)

    with pytest.raises(ValidationFailed, match="'fail_it' found 1 bad rows"):
        run(small, table=replace(ACTIONS, checks={EngineName.DUCKDB: (fail, warn)}))

    assert counts(small) == {naive(START): 1}
    assert due_windows(small.store, ACTIONS) == [Window.hour(START)]
    stored = {result.name: result for result in check_results(small.store, "agg_action_5m")}
    assert stored["fail_it"] == CheckResult(Window.hour(START), "fail_it", Level.FAIL, 1)
    assert stored["every_request_is_counted_once"].bad_rows == 0

    assert run(small, table=replace(ACTIONS, checks={EngineName.DUCKDB: (warn,)})).rows == 1
    assert counts(small) == {naive(START): 2}


def test_a_worker_that_was_overtaken_is_refused(small: SmallLake) -> None:
    small.land("a", requests=requests(at(0)))
    overtaken = small.lake.create(ACTIONS.spec)
    run(small)
    rows = small.lake.table("agg.agg_action_5m").scan().to_arrow()

    with pytest.raises(TransientError, match="another worker changed"):
        replace_window(overtaken, rows, Window.hour(START), "bucket", "old")

    assert counts(small) == {naive(START): 1}


@pytest.mark.parametrize(
    ("change", "error", "text"),
    [
        ("count(*) as requests", ConfigError, "query.sql: requests: is not in the query"),
        ("count(*) as requests, 1 as more", ConfigError, "query.sql: more: is not in table.yaml"),
        ("'many' as requests", ConfigError, "cast to the types of table.yaml"),
        ("count(*) as requests", UsageError, "1 of 1 rows lie outside"),
    ],
    ids=["missing", "unknown", "type", "outside"],
)
def test_a_wrong_query_is_refused(
    small: SmallLake, change: str, error: type[Exception], text: str
) -> None:
    small.land("a", requests=requests(at(0)))
    query = ACTIONS.query(EngineName.DUCKDB).text.replace("count(*) as requests", change)
    if "is not in the query" in text:
        query = ACTIONS.query(EngineName.DUCKDB).text.replace("count(*) as requests,", "")
    if error is UsageError:
        query = query.replace("date_trunc('minute', event_time)", "timestamp '2026-01-01 00:00:00'")

    with pytest.raises(error, match=text):
        run(small, table=replace(ACTIONS, queries={EngineName.DUCKDB: Query(query, "query.sql")}))


def test_tables_are_built_side_by_side_as_one_after_the_other(tmp_path: Path) -> None:
    times = at(0, 1, 59, 61, 24 * 60)
    found = []
    for at_once in (1, 4):
        small = SmallLake.open(tmp_path / str(at_once))
        small.land("a", requests=requests(times, source_object="a", labels=["x"]))
        tables = TABLES.values()
        results = build_all(small.store, small.lake, small.engine, tables, at_once=at_once)
        assert [result.table for result in results] == list(TABLES)
        assert sum(result.rows for result in results) > len(TABLES)
        found.append(
            {
                name: small.lake.table(f"agg.{name}")
                .scan()
                .to_arrow()
                .sort_by("bucket")
                .to_pylist()
                for name in TABLES
            }
        )
        again = build_all(small.store, small.lake, small.engine, tables, at_once=at_once)
        assert not any(result.windows for result in again)

    assert found[0] == found[1]
    assert len(found[0]["agg_action_5m"]) == 4


def test_a_table_that_fails_does_not_stop_the_others(small: SmallLake) -> None:
    small.land("a", requests=requests(at(0)))
    tables = dict(TABLES)
    for name in ("agg_action_5m", "agg_ip_5m"):
        query = TABLES[name].query(EngineName.DUCKDB).text.replace("as requests", "as oops")
        spoilt = {EngineName.DUCKDB: Query(query, f"{name}/query.sql")}
        tables[name] = replace(TABLES[name], queries=spoilt)

    with pytest.raises(ConfigError, match="agg_action_5m/query") as caught:
        build_all(small.store, small.lake, small.engine, tables.values())

    assert ["agg_ip_5m/query.sql" in note for note in caught.value.__notes__] == [True]
    assert counts(small, TABLES["agg_country_1h"]) == {naive(START): 1}
    assert due_windows(small.store, ACTIONS) and not due_windows(
        small.store, TABLES["agg_country_1h"]
    )


@pytest.mark.parametrize(("most", "queries"), [(2, 4), (3, 1)])
def test_very_many_rows_are_built_a_day_at_a_time(
    small: SmallLake, monkeypatch: pytest.MonkeyPatch, most: int, queries: int
) -> None:
    module = sys.modules[build.__module__]  # the package has a function of that name
    monkeypatch.setattr(module, "MOST_ROWS", most)
    asked: list[Window] = []
    query = small.engine.query
    monkeypatch.setattr(
        small.engine,
        "query",
        lambda text, window, origin, given=None: (
            asked.append(window) if given is None else None,
            query(text, window, origin, given),
        )[1],
    )
    small.land("a", requests=requests(at(*(60 * hour for hour in range(84)))[::28]))
    hours = Window(START, START + 84 * HOUR)

    monkeypatch.setattr(module, "pending_hours", lambda *_, **__: all_hours(hours))
    result = run(small, hours)

    assert len(asked) == queries
    assert merged(asked) == [hours]
    assert result.rows == sum(counts(small).values()) == 3


def test_what_is_no_longer_than_a_day_is_not_measured_first(
    small: SmallLake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planning a scan costs more than most queries of an hourly run."""
    measured: list[Window] = []
    scans = small.engine.scans
    monkeypatch.setattr(
        small.engine,
        "scans",
        lambda text, window: (measured.append(window), scans(text, window))[1],
    )
    day, longer = Window(START, START + DAY), Window(START, START + 2 * DAY)
    small.land("a", requests=requests(at(0)))
    query = ACTIONS.query(EngineName.DUCKDB)

    assert list(query_windows(small.engine, query, [day, longer])) == [day, longer]
    assert measured == [longer]


def all_hours(window: Window) -> dict[datetime, int]:
    """Every hour of the window as changed, so that it is one range."""
    return {hour.start: 1 for hour in window.split(HOUR)}
