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
from bartizan.detect.categories import Categories, find_categories, has_mix, most_mixes
from bartizan.detect.counted import Counted
from bartizan.detect.fit import Fitted, fit_shard, put_together
from bartizan.detect.jointly import TESTS as JOINT_TESTS
from bartizan.detect.mix import TESTS as MIX_TESTS
from bartizan.detect.mix import fit_mix
from bartizan.detect.panel import TIME, Panel, Rows, Times, arrange, interval_starts
from bartizan.detect.population import fit_population
from bartizan.detect.series import groups_of
from bartizan.detect.severity import budget
from bartizan.detect.shards import each_shard, shard_size
from bartizan.detect.special import Excluded, excluded, learnable
from bartizan.detect.state import VERSION, DetectorState, MeasureState
from bartizan.detect.survey import Survey, points_needed, survey, tests_of
from bartizan.detect.totals import series_by, total_by, totals_of
from bartizan.errors import UsageError
from bartizan.model.connector import Connector
from bartizan.model.window import Window, naive

__all__ = ["DetectorState", "learn", "points_needed"]

_WEEK = timedelta(days=7)


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
    """What is known of all series before any is described: their `rows`, what of them is not
    learned from, what was found of each shard's measures, the `categories` of each measure, and the
    state, whole but for what describing its own series adds."""

    rows: Rows
    unlearned: Excluded
    surveys: list[list[Survey]]
    categories: list[Categories | None]
    state: DetectorState


@dataclass(frozen=True)
class _Shared:
    """What a detector has in common with its totals: how many tests of an interval there are in
    all, and populations."""

    tests: int
    populations: int


def described(known: Outline) -> DetectorState:
    """The state with what is learned of all shards."""
    rows, tests = known.rows, known.state.tests

    def fit(shard: int) -> Fitted:
        panel, found = learned_from(rows, known.unlearned, shard), known.surveys[shard]
        return fit_shard(panel, found, known.categories, rows.connector, tests)

    return completed(known.state, rows.times, put_together(each_shard(fit, rows.shards)))


def learned_from(rows: Rows, unlearned: Excluded, shard: int) -> Panel:
    """The values of a shard, NaN where they are not learned from."""
    panel, span = rows.panel(shard), rows.span(shard)
    values = {name: unlearned.hidden(all_, span) for name, all_ in panel.values.items()}
    return replace(panel, values=values)


def completed(state: DetectorState, times: Times, fitted: Fitted) -> DetectorState:
    """The state with what was learned of all its series in the intervals that start so."""
    calendar = Calendar.of(times, state.frequency, state.timezone)
    allowed = budget(state.tests, state.frequency)
    mixes = [fit_mix(one, calendar, allowed) if one else None for one in fitted.watched]
    learned = zip(state.measures.items(), fitted.parts, mixes, strict=True)
    measures = {
        name: replace(measure, parts=parts, mix=mix) for (name, measure), parts, mix in learned
    }
    return replace(state, measures=measures, jointly=fitted.jointly)


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
    shared: _Shared | None = None,
) -> Outline:
    """With the totals; of a total itself when it is known what is `shared`."""
    size = shard_size(len(interval_starts(seen, connector.frequency)))
    rows = arrange(history, connector, seen, covered, size=size)
    unlearned = excluded(rows.keys, rows.times, connector)
    groups, group = groups_of(rows.keys)

    def look(shard: int) -> list[Survey]:
        return survey(learned_from(rows, unlearned, shard), connector, group[rows.span(shard)])

    surveys = each_shard(look, rows.shards)
    categories = _categories(rows.keys, surveys, connector, total=shared is not None)
    totals = () if shared else totals_of(connector, rows.keys)
    shared = shared or _shared(rows.keys, surveys, categories, connector, totals)
    needed, weeks = points_needed(connector.frequency), (window.end - seen.start) / _WEEK
    measures = {
        measure.name: _measure_state(
            [found[place] for found in surveys], needed, len(groups), weeks, shared.populations
        )
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
        groups,
        measures,
        window.end,
        connector.calendar.timezone,
        shared.tests,
        tuple(
            described(_outline(history, total, window, seen, covered, shared)) for total in totals
        ),
    )
    return Outline(rows, unlearned, surveys, categories, state)


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


def _categories(
    keys: pd.DataFrame, surveys: Sequence[Sequence[Survey]], connector: Connector, *, total: bool
) -> list[Categories | None]:
    """Of each measure the categories whose mix is learned, None for none."""
    adds_up = total_by(connector, ()).measures if has_mix(connector.dimensions, total=total) else ()
    needed, found = points_needed(connector.frequency), []
    for place, measure in enumerate(connector.measures):
        level, points = (
            np.concatenate([getattr(of_shard[place], name) for of_shard in surveys])
            for name in ("level", "points")
        )
        found.append(find_categories(keys, level, points >= needed) if measure in adds_up else None)
    return found


def _shared(
    keys: pd.DataFrame,
    surveys: Sequence[Sequence[Survey]],
    categories: Sequence[Categories | None],
    connector: Connector,
    totals: Sequence[Connector],
) -> _Shared:
    tests = sum(tests_of(found, points_needed(connector.frequency)) for found in surveys)
    tests += MIX_TESTS * sum(one.groups for one in categories if one)
    tests += sum(_most_tests(keys, total) for total in totals)
    return _Shared(tests, sum(len(one.measures) for one in (connector, *totals)))


def _most_tests(keys: pd.DataFrame, total: Connector) -> int:
    measures, series = len(total.measures), series_by(keys, total.dimensions)
    mixes = most_mixes(keys, total.dimensions, total=True)
    jointly = JOINT_TESTS * series if measures > 1 else 0
    return measures * (Counted.TESTS * series + MIX_TESTS * mixes) + jointly


def _measure_state(
    surveys: Sequence[Survey], needed: int, groups: int, weeks: float, populations: int
) -> MeasureState:
    """One measure of all shards, before its series are described."""
    points = np.concatenate([found.points for found in surveys])
    censuses = [found.census for found in surveys if found.census is not None]
    counted = len(censuses) == len(surveys)
    return MeasureState(
        (),
        points,
        np.concatenate([found.level for found in surveys]),
        points >= needed,
        fit_population(censuses, groups, weeks, populations) if counted else None,
    )
