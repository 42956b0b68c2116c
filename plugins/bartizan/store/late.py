"""Requests that came too late for their hour."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select

from bartizan.model.window import HOUR, Window, floor, format_time, parse_time
from bartizan.store.database import Store
from bartizan.store.tables import closed_hours


def late_hours(store: Store, window: Window) -> dict[datetime, int]:
    """How many, by the hours that a window touches; hours without any are not named."""
    query = (
        select(closed_hours.c.hour, func.sum(closed_hours.c.requests))
        .where(closed_hours.c.hour >= format_time(floor(window.start, HOUR)))
        .where(closed_hours.c.hour < format_time(window.end))
        .group_by(closed_hours.c.hour)
        .order_by(closed_hours.c.hour)
    )
    with store.transaction() as connection:
        return {parse_time(hour): int(count) for hour, count in connection.execute(query)}
