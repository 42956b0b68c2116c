"""Intervals that lie in a range of the connector's calendar: those whose middle does."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from bartizan.detect.panel import TIME, Flags, Floats, Times
from bartizan.model.anomaly import Incident
from bartizan.model.calendar_entries import ALL_SERIES, Only
from bartizan.model.connector import Connector
from bartizan.model.recurrence import occurrences
from bartizan.model.window import Window, aware, naive


@dataclass(frozen=True)
class Excluded:
    """Values that are neither judged nor learned from: those of some `series` (S) in some
    `intervals` (T), for each kind of entries."""

    series: tuple[Flags, ...]
    intervals: tuple[Flags, ...]

    def hidden(self, values: Floats, span: slice) -> Floats:
        """The values (N, T) of N series, those at `span` of all, NaN where excluded."""
        for series, intervals in zip(self.series, self.intervals, strict=True):
            if series[span].any():
                values = np.where(series[span][:, None] & intervals, np.nan, values)
        return values


def excluded(keys: pd.DataFrame, times: Times, connector: Connector) -> Excluded:
    """What is excluded of the series `keys` (S) in intervals that start so (T, in any order)."""
    found = _excluded_times(times, connector)
    series = tuple(_are_named(keys, only) for only in found)
    return Excluded(series, tuple(found.values()))


def learnable(
    history: pd.DataFrame, covered: pd.DatetimeIndex | None, connector: Connector
) -> tuple[pd.DataFrame, pd.DatetimeIndex | None]:
    """History without what the calendar excludes, and without the intervals that it excludes of
    all series: as if it had not been delivered."""
    if not connector.calendar.excluded or history.empty:
        return history, covered
    starts = history[TIME].to_numpy(dtype="datetime64[us]")
    dropped = np.zeros(len(history), dtype=np.bool_)
    for only, inside in _excluded_times(starts, connector).items():
        dropped[np.flatnonzero(inside)[_are_named(history[inside], only)]] = True
    given = pd.DatetimeIndex(np.unique(starts)) if covered is None else covered
    closed = _excluded_times(given.to_numpy(dtype="datetime64[us]"), connector).get(ALL_SERIES)
    return history[~dropped], given if closed is None else given[~closed]


def why_muted(incident: Incident, connector: Connector) -> str:
    """The reasons why nobody is told of an incident; "" unless each of its anomalies has one."""
    calendar = connector.calendar
    if not calendar.muted:
        return ""
    window = Window(incident.window.start, incident.window.end + connector.frequency)
    ranges = occurrences(calendar.muted, calendar.timezone, window)
    reasons: dict[str, None] = {}
    for one in incident.anomalies:
        middle = one.interval.start + connector.frequency / 2
        mine = (each for each in ranges if each.only.names(one.dimensions))
        why = next((each.why for each in mine if middle in each.window), None)
        if why is None:
            return ""
        reasons[why] = None
    return ", ".join(reasons)


def _excluded_times(times: Times, connector: Connector) -> dict[Only, Flags]:
    """Which intervals (T), by their starts, are excluded for which series."""
    calendar, step = connector.calendar, connector.frequency
    found: dict[Only, Flags] = {}
    if not calendar.excluded or not len(times):
        return found
    first, last = (aware(time.item()) for time in (times.min(), times.max()))
    middle = times + np.timedelta64(step, "us") // 2
    for one in occurrences(calendar.excluded, calendar.timezone, Window(first, last + step)):
        start, end = (np.datetime64(naive(at), "us") for at in (one.window.start, one.window.end))
        before = found.get(one.only, np.zeros(len(times), dtype=np.bool_))
        found[one.only] = before | ((middle >= start) & (middle < end))
    return found


def _are_named(rows: pd.DataFrame, only: Only) -> Flags:
    """Which rows are of a series that is named."""
    named = np.ones(len(rows), dtype=np.bool_)
    for dimension, values in only.values:
        named &= rows[dimension].astype("str").isin(values).to_numpy(dtype=np.bool_)
    return named
