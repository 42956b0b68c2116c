"""Learn what every series of a connector usually does.

Pure: the same history gives the same state, whatever the order of its rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import lru_cache, reduce

import numpy as np
import pandas as pd

from bartizan.detect.calendar import Calendar
from bartizan.detect.categories import Watched, find_categories, has_mix, most_mixes
from bartizan.detect.census import Census, take_census
from bartizan.detect.counted import Counted, fit_counted
from bartizan.detect.gauged import Gauged, fit_gauged
from bartizan.detect.jointly import TESTS as JOINT_TESTS
from bartizan.detect.jointly import Departures, JointPart, departures, fit_jointly, of_rows
from bartizan.detect.judge import Part, look_back
from bartizan.detect.kinds import Kinds, kinds_of, kinds_of_gauges
from bartizan.detect.mix import TESTS as MIX_TESTS
from bartizan.detect.mix import Mix, fit_mix
from bartizan.detect.outlook import Model, Outlook, spans
from bartizan.detect.panel import TIME, Floats, Integers, Panel, Rows, arrange, interval_starts
from bartizan.detect.population import fit_population
from bartizan.detect.series import groups_of
from bartizan.detect.severity import budget
from bartizan.detect.shards import each_shard, shard_size
from bartizan.detect.special import excluded, learnable
from bartizan.detect.state import VERSION, DetectorState, MeasureState
from bartizan.detect.totals import series_by, total_by, totals_of
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
    history, covered = learnable(history, covered, connector)
    return _learn(history, connector, window, _seen(history, connector, window), covered)


def _learn(
    history: pd.DataFrame,
    connector: Connector,
    window: Window,
    seen: Window,
    covered: pd.DatetimeIndex | None,
    tests: int | None = None,
    populations: int = 0,
) -> DetectorState:
    """What `learn` returns, with the totals; of a total itself when it is known how many `tests`
    and populations there are in all."""
    size = shard_size(len(interval_starts(seen, connector.frequency)))
    rows = arrange(history, connector, seen, covered, size=size)
    unjudged = excluded(rows.keys, rows.times, connector)

    @lru_cache(maxsize=1)  # an only shard is made once
    def panel(shard: int) -> Panel:
        found, span = rows.panel(shard), rows.span(shard)
        values = {name: unjudged.hidden(all_, span) for name, all_ in found.values.items()}
        return replace(found, values=values)

    groups, group = groups_of(rows.keys)
    surveys = each_shard(
        lambda shard: _survey(panel(shard), connector, group[rows.span(shard)]), rows.shards
    )
    needed = points_needed(connector.frequency)
    watched = _watched(rows, surveys, connector, total=bool(tests))
    own = sum(_tests(part, needed) for part in surveys)
    own += MIX_TESTS * sum(one.categories.groups for one in watched if one)
    totals = () if tests else totals_of(connector, rows.keys)
    tests = tests or own + sum(_most_tests(rows.keys, total) for total in totals)
    populations = populations or sum(len(one.measures) for one in (connector, *totals))
    allowed = budget(tests, connector.frequency)
    calendar = Calendar.of(rows.times, connector.frequency, connector.calendar.timezone)

    several = len(connector.measures) > 1

    def fit(shard: int) -> tuple[list[tuple[Part, ...]], tuple[JointPart, ...]]:
        first = rows.span(shard).start
        series = zip(_own(panel(shard)), surveys[shard], watched, strict=True)
        learned = [
            _learn_part(values, survey, first, needed, calendar, allowed, one, several)
            for values, survey, one in series
        ]
        jointly = _learn_jointly(learned, calendar, allowed) if several else ()
        return [parts for parts, _ in learned], jointly

    parts, jointly = zip(*each_shard(fit, rows.shards), strict=True)
    mixes = [fit_mix(one, calendar, allowed) if one else None for one in watched]
    measures = {
        measure.name: _measure_state(
            [found[place] for found in parts],
            [survey[place] for survey in surveys],
            needed,
            len(groups),
            (window.end - seen.start) / timedelta(days=7),
            populations,
            mixes[place],
        )
        for place, measure in enumerate(connector.measures)
    }
    points = int(rows.covered.sum())
    return DetectorState(
        VERSION,
        connector.name,
        connector.dimensions,
        connector.frequency,
        window,
        points,
        points >= needed,
        size,
        rows.keys,
        groups,
        measures,
        window.end,
        connector.calendar.timezone,
        tests,
        tuple(
            _learn(history, total, window, seen, covered, tests, populations) for total in totals
        ),
        tuple(part for found in jointly for part in found),
    )


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
class _Survey:
    """Of the series of a shard and one measure: how many intervals each has of its own (S), their
    mean (S), the number of its pool (S), their kinds; and how large counts came, None for
    gauges."""

    points: Integers
    level: Floats
    pool: Integers
    kinds: Kinds
    census: Census | None

    def tests(self, needed: int) -> int:
        """Most of an interval of all series that have enough points."""
        gauge = self.kinds.level | self.kinds.dense
        tests = np.where(gauge, Gauged.TESTS, Counted.TESTS)
        return int(tests[self.points >= needed].sum())


def _tests(surveys: Sequence[_Survey], needed: int) -> int:
    """Most of an interval of the series of a shard, of each measure and of all jointly."""
    complete = np.all([survey.points >= needed for survey in surveys], axis=0)
    jointly = JOINT_TESTS * int(complete.sum()) if len(surveys) > 1 else 0
    return sum(survey.tests(needed) for survey in surveys) + jointly


def _watched(
    rows: Rows, surveys: Sequence[Sequence[_Survey]], connector: Connector, *, total: bool
) -> list[Watched | None]:
    """Of each measure the categories whose mix is learned, None for none."""
    adds_up = total_by(connector, ()).measures if has_mix(connector.dimensions, total=total) else ()
    needed, found = points_needed(connector.frequency), []
    for place, measure in enumerate(connector.measures):
        level, points = (
            np.concatenate([getattr(survey[place], name) for survey in surveys])
            for name in ("level", "points")
        )
        chosen = find_categories(rows.keys, level, points >= needed) if measure in adds_up else None
        found.append(Watched.empty(chosen, len(rows.times)) if chosen else None)
    return found


def _most_tests(keys: pd.DataFrame, total: Connector) -> int:
    measures, series = len(total.measures), series_by(keys, total.dimensions)
    mixes = most_mixes(keys, total.dimensions, total=True)
    jointly = JOINT_TESTS * series if measures > 1 else 0
    return measures * (Counted.TESTS * series + MIX_TESTS * mixes) + jointly


def _survey(panel: Panel, connector: Connector, group: Integers) -> list[_Survey]:
    day, length = round(DAY / connector.frequency), spans(connector.frequency)[0]
    pool, first = _pools(panel), _first(panel)
    surveys = []
    for measure, own in zip(connector.measures, _own(panel), strict=True):
        points = np.isfinite(own).sum(axis=1)
        level = np.nan_to_num(own).sum(axis=1) / np.maximum(points, 1)
        is_count = measure.aggregation.counts and not np.any(own < 0)
        census = take_census(own, first, level, group, day, length) if is_count else None
        kinds = kinds_of(own, level) if is_count else kinds_of_gauges(len(own))
        surveys.append(_Survey(points, level, pool, kinds, census))
    return surveys


# Of a measure: the parts, and what they departed by.
_Learned = tuple[tuple[Part, ...], list[tuple[Integers, Departures]]]


def _learn_part(
    own: Floats,
    survey: _Survey,
    first: int,
    needed: int,
    calendar: Calendar,
    allowed: float,
    watched: Watched | None,
    several: bool,
) -> _Learned:
    """Models of those series (S, T) that have enough points, and what is left of their history in
    them; `first` is the position of the shard's first series. Fills in what is watched; of one of
    `several` measures the departures are kept."""
    apart: list[tuple[Integers, Departures]] = []

    def view(series: Integers, seen: Floats, model: Model, outlook: Outlook, worth: Floats) -> None:
        if watched:
            watched.put(series, seen, model.expected(outlook))
        if several:
            apart.append((series, departures(worth, outlook.matters)))

    ready = survey.points >= needed
    gauge = survey.kinds.gauges(allowed)
    parts = []
    for is_gauge in (False, True):
        rows = np.flatnonzero(ready & (gauge == is_gauge))
        if len(rows):
            values = own[rows]
            model = _fit(values, survey.pool[rows], calendar, is_gauge)
            parts.append(look_back(model, first + rows, values, calendar, allowed, view))
    return tuple(sorted(parts, key=lambda part: int(part.rows[0]))), apart


def _learn_jointly(
    learned: Sequence[_Learned], calendar: Calendar, allowed: float
) -> tuple[JointPart, ...]:
    """How the measures go together in those series that have a model of each."""
    found = [apart for _, apart in learned]
    if not all(found):
        return ()
    rows = reduce(np.intersect1d, [np.concatenate([rows for rows, _ in one]) for one in found])
    if not len(rows):
        return ()
    return (fit_jointly(rows, [of_rows(one, rows) for one in found], calendar, allowed),)


def _fit(values: Floats, pool: Integers, calendar: Calendar, is_gauge: bool) -> Model:
    if is_gauge:
        return fit_gauged(values, calendar)
    groups = np.unique(pool, return_inverse=True)[1]
    return fit_counted(values, calendar, groups)


def _measure_state(
    parts: Sequence[Sequence[Part]],
    surveys: Sequence[_Survey],
    needed: int,
    groups: int,
    weeks: float,
    populations: int,
    mix: Mix | None,
) -> MeasureState:
    """One measure's shards put together."""
    points = np.concatenate([survey.points for survey in surveys])
    censuses = [survey.census for survey in surveys if survey.census is not None]
    return MeasureState(
        tuple(part for found in parts for part in found),
        points,
        np.concatenate([survey.level for survey in surveys]),
        points >= needed,
        fit_population(censuses, groups, weeks, populations)
        if len(censuses) == len(surveys)
        else None,
        mix,
    )


def _own(panel: Panel) -> list[Floats]:
    """Values of each measure from the first row of a series on: before it the series did not
    exist, and those zeros would only dilute its mean."""
    exists = np.arange(len(panel.times)) >= _first(panel)[:, None]
    return [np.where(exists, values, np.nan) for values in panel.values.values()]


def _first(panel: Panel) -> Integers:
    """Position (S) of the first row of each series, T for none."""
    return np.where(panel.present.any(axis=1), panel.present.argmax(axis=1), len(panel.times))


def _pools(panel: Panel) -> Integers:
    """Number of each series' pool: series with the same first dimension share a daily shape."""
    if panel.keys.columns.empty:
        return np.zeros(1, dtype=np.int64)
    codes: Integers = pd.factorize(panel.keys[panel.keys.columns[0]])[0].astype(np.int64)
    return codes
