"""Which hours each aggregate has built in, and what its checks found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import and_, func, select

from bartizan.model.window import Window, format_time, parse_time
from bartizan.store.database import Store, upsert
from bartizan.store.tables import aggregate_checks, built_hours, changed_hours


class Level(StrEnum):
    """What bad rows mean: `fail` stops before publishing, `warn` is recorded only."""

    FAIL = "fail"
    WARN = "warn"


@dataclass(frozen=True)
class CheckResult:
    """What one check found in one window; 0 bad rows is a pass."""

    window: Window
    name: str
    level: Level
    bad_rows: int


def pending_hours(store: Store, table: str, built_too: bool = False) -> dict[datetime, int]:
    """Hours changed since `table` last built them in, each with the number of its last change.

    `built_too` gives every hour that ever changed.
    """
    last = func.max(changed_hours.c.sequence)
    built = and_(built_hours.c.hour == changed_hours.c.hour, built_hours.c.table_name == table)
    query = (
        select(changed_hours.c.hour, last.label("sequence"))
        .outerjoin(built_hours, built)
        .group_by(changed_hours.c.hour, built_hours.c.sequence)
        .order_by(changed_hours.c.hour)
    )
    if not built_too:
        query = query.having(last > func.coalesce(built_hours.c.sequence, 0))
    with store.transaction() as connection:
        return {parse_time(row.hour): row.sequence for row in connection.execute(query)}


def mark_built(store: Store, table: str, hours: Mapping[datetime, int]) -> None:
    """Record that `table` holds these hours as of these changes."""
    rows = [
        {"table_name": table, "hour": format_time(hour), "sequence": sequence}
        for hour, sequence in hours.items()
    ]
    with store.transaction() as connection:
        upsert(connection, built_hours, rows)


def save_checks(store: Store, table: str, results: Iterable[CheckResult]) -> None:
    """Record check results; those of the same table, window and name are replaced."""
    rows = [
        {
            "table_name": table,
            "window_start": format_time(result.window.start),
            "window_end": format_time(result.window.end),
            "name": result.name,
            "level": result.level.value,
            "bad_rows": result.bad_rows,
        }
        for result in results
    ]
    with store.transaction() as connection:
        upsert(connection, aggregate_checks, rows)


def check_results(store: Store, table: str) -> list[CheckResult]:
    """All recorded check results of a table, by window and name."""
    columns = aggregate_checks.c
    query = (
        select(aggregate_checks)
        .where(columns.table_name == table)
        .order_by(columns.window_start, columns.window_end, columns.name)
    )
    with store.transaction() as connection:
        return [
            CheckResult(
                Window.parse(row.window_start, row.window_end),
                row.name,
                Level(row.level),
                row.bad_rows,
            )
            for row in connection.execute(query)
        ]


def hours_built(store: Store, table: str, window: Window) -> list[datetime]:
    """Hours of the window that `table` holds, in order."""
    query = (
        select(built_hours.c.hour)
        .where(built_hours.c.table_name == table)
        .where(built_hours.c.hour >= format_time(window.start))
        .where(built_hours.c.hour < format_time(window.end))
        .order_by(built_hours.c.hour)
    )
    with store.transaction() as connection:
        return [parse_time(hour) for hour in connection.execute(query).scalars()]
