"""Learn what every series of a connector usually does.

Pure: the same history gives the same state, whatever the order of its rows.
"""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd

from bartizan.detect import counts, gauges
from bartizan.detect.calendar import Calendar
from bartizan.detect.newcomers import Newcomers, fit_newcomers
from bartizan.detect.panel import TIME, Floats, Integers, Panel, build_panel
from bartizan.detect.severity import rarity
from bartizan.detect.state import VERSION, DetectorState, MeasureState
from bartizan.detect.views import Baseline, View, single_view, sum_length, sum_view
from bartizan.errors import UsageError
from bartizan.model.connector import Connector, Measure
from bartizan.model.window import DAY, Window, naive

__all__ = ["DetectorState", "learn", "points_needed"]

HABIT_RANK = 3  # a fortnight's two worst days are taken for attacks, the third for habit
SUSPECT = 2.0  # standard deviations from which an interval's tail is worth computing


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
    and what `build_panel` raises.
    """
    panel = build_panel(history, connector, _seen(history, connector, window), covered)
    calendar = Calendar.of(panel.times, connector.frequency)
    first = np.where(panel.present.any(axis=1), panel.present.argmax(axis=1), len(panel.times))
    points = int(panel.covered.sum())
    ready = points >= points_needed(connector.frequency)
    return DetectorState(
        VERSION,
        connector.name,
        connector.dimensions,
        connector.frequency,
        window,
        points,
        ready,
        panel.keys,
        {
            measure.name: _learn_measure(measure, panel, first, calendar, connector)
            for measure in connector.measures
        },
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


def _learn_measure(
    measure: Measure, panel: Panel, first: Integers, calendar: Calendar, connector: Connector
) -> MeasureState:
    values = panel.values[measure.name]
    # Before its first row a series did not exist; those zeros would only dilute its mean.
    own = np.where(np.arange(len(panel.times)) >= first[:, None], values, np.nan)
    length = sum_length(connector.frequency)
    is_count = measure.aggregation.counts and not np.any(values < 0)
    if is_count:
        baseline, habit = _learn_counts(own, _pools(panel, connector), calendar, length)
    else:
        baseline, habit = _learn_gauges(own, calendar, length)
    points = np.isfinite(own).sum(axis=1)
    return MeasureState(
        baseline,
        habit,
        points,
        np.nan_to_num(own).sum(axis=1) / np.maximum(points, 1),
        points >= points_needed(connector.frequency),
        fit_newcomers(values, first, round(DAY / connector.frequency), length)
        if is_count
        else Newcomers(0.0, 0.0, 0.0, 0.0),
    )


def _learn_counts(
    own: Floats, pool: Integers, calendar: Calendar, length: int
) -> tuple[Baseline, Floats]:
    profile = counts.fit_profile(own, calendar, pool)
    dispersion = counts.fit_dispersion(own, calendar.spread(profile.mean))
    draft = Baseline(True, profile.mean, profile.doubt, dispersion, dispersion)
    single = single_view(own, draft, calendar)
    sums = sum_view(single, draft, calendar, length)
    baseline = Baseline(
        True,
        profile.mean,
        profile.doubt,
        dispersion,
        counts.fit_dispersion(sums.value, sums.mean),
    )
    return baseline, _habits(single, sum_view(single, baseline, calendar, length), calendar)


def _learn_gauges(own: Floats, calendar: Calendar, length: int) -> tuple[Baseline, Floats]:
    mean = gauges.fit_mean(own, calendar)
    variance = gauges.fit_variance(own, calendar.spread(mean))
    draft = Baseline(False, mean, np.zeros_like(mean), variance, variance)
    single = single_view(own, draft, calendar)
    sums = sum_view(single, draft, calendar, length)
    baseline = Baseline(
        False, mean, draft.doubt, variance, gauges.fit_variance(sums.value, sums.mean)
    )
    return baseline, _habits(single, sum_view(single, baseline, calendar, length), calendar)


def _pools(panel: Panel, connector: Connector) -> Integers:
    """Number of each series' group: series with the same first dimension share a daily shape."""
    if not connector.dimensions:
        return np.zeros(1, dtype=np.int64)
    codes: Integers = pd.factorize(panel.keys[connector.dimensions[0]])[0].astype(np.int64)
    return codes


def _habits(single: View, sums: View, calendar: Calendar) -> Floats:
    """How far each test (S, 4) of a series overstates rarity, at least 1."""
    return np.stack(
        [_habit(view, up, calendar) for view in (single, sums) for up in (True, False)], axis=1
    )


def _habit(view: View, up: bool, calendar: Calendar) -> Floats:
    """Rarity of the third-worst day over the rarity the model allows it."""
    starts = np.flatnonzero(np.diff(calendar.date, prepend=calendar.date[:1] - 1))
    worst = np.sort(np.maximum.reduceat(_rarity(view, up), starts, axis=1), axis=1)
    rank = min(HABIT_RANK, -(-len(starts) // 5))
    points = np.isfinite(view.value).sum(axis=1)
    allowed = np.log10(np.maximum(points / rank, 10))
    habit: Floats = np.maximum(worst[:, -rank] / allowed, 1.0)
    return habit


def _rarity(view: View, up: bool) -> Floats:
    """Rarity of the intervals (S, T) far on one side, 0 for the rest."""
    distance = (view.value - view.mean) / np.sqrt(view.variance)
    return rarity(view.tail_where((distance if up else -distance) > SUSPECT, up))
