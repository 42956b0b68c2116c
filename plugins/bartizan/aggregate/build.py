"""Rebuilds the windows of an aggregate whose hours changed: query, check, replace, mark."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta

import pyarrow as pa

from bartizan.aggregate.checks import run_checks
from bartizan.aggregate.spec import BUCKET, AggregateTable, Query
from bartizan.engines import Engine, EngineName
from bartizan.errors import ConfigError, ValidationFailed
from bartizan.lake import Lake, replace_window
from bartizan.model.ids import digest
from bartizan.model.window import DAY, Window, merged
from bartizan.store import Store
from bartizan.store.aggregates import CheckResult, Level, mark_built, pending_hours, save_checks

LONGEST_QUERY = timedelta(days=31)
# Beyond this DuckDB spills: 25 days of 2 million records a day took up to four times as long in one
# query as a day at a time (docs/benchmarks.md).
MOST_ROWS = 5_000_000


@dataclass(frozen=True)
class BuildResult:
    """The changed hours that were built in, the rows of their buckets, what the checks found.

    `windows` are hours even where a bucket is a day: readers need to look at nothing else again.
    """

    table: str
    windows: tuple[Window, ...]
    rows: int
    checks: tuple[CheckResult, ...]


def due_windows(
    store: Store,
    table: AggregateTable,
    windows: Sequence[Window] | None = None,
    force: bool = False,
) -> list[Window]:
    """Whole buckets, as few windows as possible, whose hours changed since they were built.

    Only buckets that overlap `windows` count (None: all). `force` takes hours that are built too.
    """
    return _buckets(table, _pending(store, table, windows, force))


def build_all(
    store: Store,
    lake: Lake,
    engine: Engine,
    tables: Iterable[AggregateTable],
    windows: Sequence[Window] | None = None,
    force: bool = False,
    at_once: int = 2,
) -> list[BuildResult]:
    """Rebuild every table as `build` does, `at_once` of them at a time; results in their order.

    A table that fails does not stop the others; the first error is raised when all have ended,
    and names in its notes what else failed.
    """
    with ThreadPoolExecutor(at_once, "aggregate") as threads:
        builds = [
            threads.submit(build, store, lake, engine, table, windows, force) for table in tables
        ]
    if failed := [error for one in builds if (error := one.exception())]:
        for other in failed[1:]:
            failed[0].add_note(f"and {other}")
        raise failed[0]
    return [one.result() for one in builds]


def build(
    store: Store,
    lake: Lake,
    engine: Engine,
    table: AggregateTable,
    windows: Sequence[Window] | None = None,
    force: bool = False,
) -> BuildResult:
    """Rebuild what `due_windows` says, each window by one commit, at most 31 days at a time, or a
    day where DuckDB would read very many rows.

    Raises ValidationFailed when a check marked fail finds bad rows; that window keeps its old rows
    and stays due.
    """
    pending = _pending(store, table, windows, force)
    query = table.query(engine.name)
    built: list[Window] = []
    checks: list[CheckResult] = []
    total = 0
    for window in query_windows(engine, query, _buckets(table, pending)):
        # Opened before the query: if another worker commits meanwhile, this commit is refused
        # instead of replacing newer rows by older ones.
        target = lake.create(table.spec)
        rows = _conformed(engine.query(query.text, window, query.origin), table, query.origin)
        found = run_checks(engine, table.checks[engine.name], rows, window)
        save_checks(store, table.name, found)
        _stop_on_failure(table, found)
        hours = {hour: last for hour, last in pending.items() if hour in window}
        replace_window(target, rows, window, BUCKET, digest((table.name, window, *hours.values())))
        mark_built(store, table.name, hours)
        built += merged(map(Window.hour, hours))
        checks += found
        total += rows.num_rows
    return BuildResult(table.name, tuple(built), total, tuple(checks))


def _pending(
    store: Store, table: AggregateTable, windows: Sequence[Window] | None, force: bool
) -> dict[datetime, int]:
    """Changed hours of the buckets that overlap `windows`, with the number of the last change."""
    pending = pending_hours(store, table.name, built_too=force)
    if windows is None:
        return pending
    wanted = merged(window.aligned(table.frequency) for window in windows)
    return {
        hour: last
        for hour, last in pending.items()
        if any(window.overlaps(Window.hour(hour)) for window in wanted)
    }


def _buckets(table: AggregateTable, hours: Iterable[datetime]) -> list[Window]:
    return merged(Window.hour(hour).aligned(table.frequency) for hour in hours)


def query_windows(engine: Engine, query: Query, windows: Iterable[Window]) -> Iterator[Window]:
    """The windows cut to what one query should read."""
    for part in (part for window in windows for part in window.split(LONGEST_QUERY)):
        yield from part.split(DAY) if _is_large(engine, query, part) else [part]


def _is_large(engine: Engine, query: Query, window: Window) -> bool:
    if engine.name is not EngineName.DUCKDB or window.end - window.start <= DAY:
        return False
    return sum(scan.rows or 0 for scan in engine.scans(query.text, window)) > MOST_ROWS


def _conformed(rows: pa.Table, table: AggregateTable, origin: str) -> pa.Table:
    """The rows in the table's columns and types. Raises ConfigError naming the column."""
    schema = table.spec.schema
    if different := sorted(set(rows.column_names) ^ set(schema.names)):
        where = "table.yaml" if different[0] in rows.column_names else "the query"
        raise ConfigError(f"{origin}: {different[0]}", f"is not in {where}", "add it there")
    try:
        return rows.select(schema.names).cast(schema)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise ConfigError(origin, str(error), "cast to the types of table.yaml") from error


def _stop_on_failure(table: AggregateTable, found: Iterable[CheckResult]) -> None:
    for check in found:
        if check.level is Level.FAIL and check.bad_rows:
            raise ValidationFailed(
                f"agg.{table.name} {check.window}",
                f"check {check.name!r} found {check.bad_rows} bad rows, nothing was published",
                f"see {table.folder / 'checks.sql'}",
            )
