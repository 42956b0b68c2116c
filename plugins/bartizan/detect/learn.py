"""Learn what every series of a connector usually does.

Pure: the same history gives the same state, whatever the order of its rows.
"""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd

from bartizan.detect.calendar import Calendar
from bartizan.detect.counted import fit_counted
from bartizan.detect.gauged import fit_gauged
from bartizan.detect.judge import Part, look_back
from bartizan.detect.newcomers import fit_newcomers
from bartizan.detect.outlook import Model, spans
from bartizan.detect.panel import TIME, Flags, Floats, Integers, Panel, build_panel
from bartizan.detect.severity import budget
from bartizan.detect.state import VERSION, DetectorState, MeasureState
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
    and what `build_panel` raises.
    """
    panel = build_panel(history, connector, _seen(history, connector, window), covered)
    own = {name: _since_first(panel, values) for name, values in panel.values.items()}
    points = {name: np.isfinite(values).sum(axis=1) for name, values in own.items()}
    needed = points_needed(connector.frequency)
    active = {name: seen >= needed for name, seen in points.items()}
    allowed = budget(sum(int(flags.sum()) for flags in active.values()), connector.frequency)
    calendar = Calendar.of(panel.times, connector.frequency)
    pool = _pools(panel, connector)
    measures = {}
    for measure in connector.measures:
        name = measure.name
        values = panel.values[name]
        is_count = measure.aggregation.counts and not np.any(values < 0)
        measures[name] = MeasureState(
            _learn_parts(own[name], active[name], pool, calendar, is_count, allowed),
            points[name],
            np.nan_to_num(own[name]).sum(axis=1) / np.maximum(points[name], 1),
            active[name],
            fit_newcomers(values, _first(panel), calendar.day_length, spans(connector.frequency)[0])
            if is_count
            else None,
        )
    covered_points = int(panel.covered.sum())
    return DetectorState(
        VERSION,
        connector.name,
        connector.dimensions,
        connector.frequency,
        window,
        covered_points,
        covered_points >= needed,
        panel.keys,
        measures,
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


def _learn_parts(
    own: Floats, active: Flags, pool: Integers, calendar: Calendar, is_count: bool, allowed: float
) -> tuple[Part, ...]:
    """A model of the active ones of all series (S, T), and what is left of their history in it."""
    rows = np.flatnonzero(active)
    if not len(rows):
        return ()
    values = own[rows]
    groups = np.unique(pool[rows], return_inverse=True)[1]
    model: Model = (
        fit_counted(values, calendar, groups) if is_count else fit_gauged(values, calendar)
    )
    return (look_back(model, rows, values, calendar, allowed),)


def _since_first(panel: Panel, values: Floats) -> Floats:
    """Before its first row a series did not exist; those zeros would only dilute its mean."""
    return np.where(np.arange(len(panel.times)) >= _first(panel)[:, None], values, np.nan)


def _first(panel: Panel) -> Integers:
    """Position (S) of the first row of each series, T for none."""
    return np.where(panel.present.any(axis=1), panel.present.argmax(axis=1), len(panel.times))


def _pools(panel: Panel, connector: Connector) -> Integers:
    """Number of each series' group: series with the same first dimension share a daily shape."""
    if not connector.dimensions:
        return np.zeros(1, dtype=np.int64)
    codes: Integers = pd.factorize(panel.keys[connector.dimensions[0]])[0].astype(np.int64)
    return codes
