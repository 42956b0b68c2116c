"""Learn what every series of a connector usually does.

Pure: the same history gives the same state, whatever the order of its rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np
import pandas as pd

from bartizan.detect.calendar import Calendar
from bartizan.detect.counted import Counted, fit_counted
from bartizan.detect.gauged import Gauged, fit_gauged
from bartizan.detect.judge import Part, look_back
from bartizan.detect.kinds import Kinds, kinds_of, kinds_of_gauges
from bartizan.detect.newcomers import appearances, fit_newcomers
from bartizan.detect.outlook import Model, spans
from bartizan.detect.panel import TIME, Floats, Integers, Panel, Rows, arrange, interval_starts
from bartizan.detect.severity import budget
from bartizan.detect.shards import each_shard, shard_size
from bartizan.detect.special import learnable
from bartizan.detect.state import VERSION, DetectorState, MeasureState
from bartizan.detect.totals import series_by, totals_of
from bartizan.errors import UsageError
from bartizan.model.connector import Connector
from bartizan.model.window import DAY, Window, naive

__all__ = ["DetectorState", "learn", "points_needed"]


def points_needed(frequency: timedelta) -> int:
    """Intervals of its own a series needs to be judged by them (as Lookout: 300, daily 14)."""
    return 14 if frequency >= DAY else 300


def learn(
    history: pd.DataFrame,
    connector: Connector,
    window: Window,
    covered: pd.DatetimeIndex | None = None,
) -> DetectorState:
    """Learn from the rows of `history` that lie in `window`.

    `history` has columns interval_start (naive UTC), one text column per dimension, one float
    column per measure. `covered` are the interval starts for which the source delivered
    (default: those with a row); the others are gaps. Raises UsageError when the window has no row,
    and what `arrange` raises. What the connector's calendar excludes counts as not delivered.
    """
    return described(outline(history, connector, window, covered))


@dataclass(frozen=True)
class Outline:
    """What is known of all series before any is described: their `rows`, what was found of each
    shard's measures, and the state, whole but for the parts of its own series."""

    rows: Rows
    surveys: list[list[Survey]]
    state: DetectorState


def described(known: Outline) -> DetectorState:
    """The state with the parts of all shards."""
    rows, tests = known.rows, known.state.tests

    def fit(shard: int) -> list[tuple[Part, ...]]:
        return fit_shard(rows.panel(shard), known.surveys[shard], rows.connector, tests)

    return with_parts(known.state, each_shard(fit, rows.shards))


def outline(
    history: pd.DataFrame,
    connector: Connector,
    window: Window,
    covered: pd.DatetimeIndex | None = None,
) -> Outline:
    """What `learn` knows before it describes the series; takes and raises the same."""
    history, covered = learnable(history, covered, connector)
    return _outline(history, connector, window, _seen(history, connector, window), covered)


def _outline(
    history: pd.DataFrame,
    connector: Connector,
    window: Window,
    seen: Window,
    covered: pd.DatetimeIndex | None,
    tests: int | None = None,
) -> Outline:
    """With the totals; of a total itself when it is known how many `tests` there are in all."""
    size = shard_size(len(interval_starts(seen, connector.frequency)))
    rows = arrange(history, connector, seen, covered, size=size)
    surveys = each_shard(lambda shard: survey(rows.panel(shard), connector), rows.shards)
    needed = points_needed(connector.frequency)
    own = sum(one.tests(needed) for part in surveys for one in part)
    totals = () if tests else totals_of(connector, rows.keys)
    tests = tests or own + sum(_most_tests(rows.keys, total) for total in totals)
    weeks = (window.end - seen.start) / timedelta(days=7)
    measures = {
        measure.name: _measure_state([found[place] for found in surveys], needed, weeks)
        for place, measure in enumerate(connector.measures)
    }
    points = int(rows.covered.sum())
    state = DetectorState(
        VERSION,
        connector.name,
        connector.dimensions,
        connector.frequency,
        window,
        points,
        points >= needed,
        size,
        rows.keys,
        measures,
        window.end,
        connector.calendar.timezone,
        tests,
        tuple(
            described(_outline(history, total, window, seen, covered, tests)) for total in totals
        ),
    )
    return Outline(rows, surveys, state)


def _seen(history: pd.DataFrame, connector: Connector, window: Window) -> Window:
    """The window from its first row on: a history may be shorter than what was asked for."""
    times = history.get(TIME, pd.Series(dtype="datetime64[us]"))
    times = times[(times >= naive(window.start)) & (times < naive(window.end))]
    if times.empty:
        raise UsageError(
            f"{connector.name}: history",
            f"no rows in {window}",
            "backfill the metrics first, or choose a window with data",
        )
    return Window(times.min().to_pydatetime(), window.end)


@dataclass(frozen=True)
class Survey:
    """Of the series of a shard and one measure: how many intervals each has of its own (S), their
    mean (S), the number of its group (S), their kinds; and counts as they first appeared, None for
    gauges."""

    points: Integers
    level: Floats
    pool: Integers
    kinds: Kinds
    appeared: Floats | None

    def tests(self, needed: int) -> int:
        """Most of an interval of all series that have enough points."""
        gauge = self.kinds.level | self.kinds.dense
        tests = np.where(gauge, Gauged.TESTS, Counted.TESTS)
        return int(tests[self.points >= needed].sum())


def _most_tests(keys: pd.DataFrame, total: Connector) -> int:
    return series_by(keys, total.dimensions) * len(total.measures) * Counted.TESTS


def survey(panel: Panel, connector: Connector) -> list[Survey]:
    """What is found of each measure of a shard at a glance."""
    day, length = round(DAY / connector.frequency), spans(connector.frequency)[0]
    pool, first = _pools(panel), _first(panel)
    surveys = []
    for measure, own in zip(connector.measures, _own(panel), strict=True):
        points = np.isfinite(own).sum(axis=1)
        level = np.nan_to_num(own).sum(axis=1) / np.maximum(points, 1)
        is_count = measure.aggregation.counts and not np.any(own < 0)
        appeared = appearances(own, first, day, length) if is_count else None
        kinds = kinds_of(own, level) if is_count else kinds_of_gauges(len(own))
        surveys.append(Survey(points, level, pool, kinds, appeared))
    return surveys


def fit_shard(
    panel: Panel, surveys: Sequence[Survey], connector: Connector, tests: int
) -> list[tuple[Part, ...]]:
    """The parts of each measure of a shard, which is one by how its series were surveyed; `tests`
    are those of an interval of all series."""
    needed = points_needed(connector.frequency)
    calendar = Calendar.of(panel.times, connector.frequency, connector.calendar.timezone)
    allowed = budget(tests, connector.frequency)
    return [
        _fit_measure(values, found, panel.keys.index[0], needed, calendar, allowed)
        for values, found in zip(_own(panel), surveys, strict=True)
    ]


def _fit_measure(
    own: Floats, found: Survey, first: int, needed: int, calendar: Calendar, allowed: float
) -> tuple[Part, ...]:
    """Models of those series (S, T) that have enough points, and what is left of their history in
    them; `first` is the position of the shard's first series."""
    ready = found.points >= needed
    gauge = found.kinds.gauges(allowed)
    parts = []
    for is_gauge in (False, True):
        rows = np.flatnonzero(ready & (gauge == is_gauge))
        if len(rows):
            values = own[rows]
            model = _fit(values, found.pool[rows], calendar, is_gauge)
            parts.append(look_back(model, first + rows, values, calendar, allowed))
    return tuple(sorted(parts, key=lambda part: int(part.rows[0])))


def _fit(values: Floats, pool: Integers, calendar: Calendar, is_gauge: bool) -> Model:
    if is_gauge:
        return fit_gauged(values, calendar)
    groups = np.unique(pool, return_inverse=True)[1]
    return fit_counted(values, calendar, groups)


def _measure_state(surveys: Sequence[Survey], needed: int, weeks: float) -> MeasureState:
    """One measure of all shards, without parts."""
    points = np.concatenate([found.points for found in surveys])
    appeared = [found.appeared for found in surveys if found.appeared is not None]
    return MeasureState(
        (),
        points,
        np.concatenate([found.level for found in surveys]),
        points >= needed,
        fit_newcomers(np.concatenate(appeared), weeks) if len(appeared) == len(surveys) else None,
    )


def with_parts(state: DetectorState, found: Sequence[Sequence[tuple[Part, ...]]]) -> DetectorState:
    """The state with the parts of all its series: those of each run of them by measure."""
    measures = {
        name: replace(measure, parts=tuple(part for run in found for part in run[place]))
        for place, (name, measure) in enumerate(state.measures.items())
    }
    return replace(state, measures=measures)


def _own(panel: Panel) -> list[Floats]:
    """Values of each measure from the first row of a series on: before it the series did not
    exist, and those zeros would only dilute its mean."""
    exists = np.arange(len(panel.times)) >= _first(panel)[:, None]
    return [np.where(exists, values, np.nan) for values in panel.values.values()]


def _first(panel: Panel) -> Integers:
    """Position (S) of the first row of each series, T for none."""
    return np.where(panel.present.any(axis=1), panel.present.argmax(axis=1), len(panel.times))


def _pools(panel: Panel) -> Integers:
    """Number of each series' group: series with the same first dimension share a daily shape."""
    if panel.keys.columns.empty:
        return np.zeros(1, dtype=np.int64)
    codes: Integers = pd.factorize(panel.keys[panel.keys.columns[0]])[0].astype(np.int64)
    return codes
