"""Intervals that lie in a range of the connector's calendar: those whose middle does."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

import numpy as np
import pandas as pd

from bartizan.detect.panel import TIME, Flags, Times
from bartizan.model.calendar_entries import CalendarEntries, Entry
from bartizan.model.connector import Connector
from bartizan.model.recurrence import Occurrence, occurrences
from bartizan.model.window import Window, aware, naive


def excluded(times: Times, connector: Connector) -> Flags:
    """Which intervals, by their starts (T, in any order), are neither judged nor learned from."""
    calendar = connector.calendar
    inside = np.zeros(len(times), dtype=np.bool_)
    for one in _ranges(calendar.excluded, calendar, times, connector.frequency):
        start, end = (np.datetime64(naive(at), "us") for at in (one.window.start, one.window.end))
        middle = times + np.timedelta64(connector.frequency, "us") // 2
        inside |= (middle >= start) & (middle < end)
    return inside


def why_muted(starts: Iterable[np.datetime64], connector: Connector) -> str:
    """The reasons why nobody is told of the intervals that begin so; "" unless each has one."""
    if not connector.calendar.muted:
        return ""
    calendar, times = connector.calendar, np.unique(np.array(list(starts), dtype="datetime64[us]"))
    found = _ranges(calendar.muted, calendar, times, connector.frequency)
    reasons: dict[str, None] = {}
    for time in times:
        middle = aware(time.item()) + connector.frequency / 2
        why = next((one.why for one in found if middle in one.window), None)
        if why is None:
            return ""
        reasons[why] = None
    return ", ".join(reasons)


def learnable(
    history: pd.DataFrame, covered: pd.DatetimeIndex | None, connector: Connector
) -> tuple[pd.DataFrame, pd.DatetimeIndex | None]:
    """History without what the calendar excludes, as if it had not been delivered."""
    if not connector.calendar.excluded or history.empty:
        return history, covered
    kept = history[~excluded(history[TIME].to_numpy(dtype="datetime64[us]"), connector)]
    if covered is None:
        return kept, None
    return kept, covered[~excluded(covered.to_numpy(dtype="datetime64[us]"), connector)]


def _ranges(
    entries: tuple[Entry, ...], calendar: CalendarEntries, times: Times, frequency: timedelta
) -> list[Occurrence]:
    if not entries or not len(times):
        return []
    first, last = (aware(time.item()) for time in (times.min(), times.max()))
    return occurrences(entries, calendar.timezone, Window(first, last + frequency))
