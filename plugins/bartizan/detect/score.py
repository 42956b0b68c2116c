"""Score every series in every interval. Score is not verdict: see group.py."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pandas as pd

from bartizan.detect.calendar import Calendar
from bartizan.detect.judge import Judgement, judge_known, judge_newcomers, judge_nothing
from bartizan.detect.panel import TIME, Flags, Floats, Panel, build_panel
from bartizan.detect.severity import budget
from bartizan.detect.state import DetectorState
from bartizan.detect.views import connector_context, sum_length
from bartizan.model.connector import Connector
from bartizan.model.window import Window, naive

__all__ = ["connector_context", "score"]


def score(
    state: DetectorState,
    frame: pd.DataFrame,
    connector: Connector,
    window: Window,
    context: pd.DataFrame | None = None,
    covered: pd.DatetimeIndex | None = None,
) -> pd.DataFrame:
    """One row per series, measure and covered interval of `window`, ordered by time and series.

    `frame` is shaped as for `learn`; `context` holds the rows of the `connector_context` before
    the window (rows of `frame` before the window serve as well). Without them the view of sums
    is blind in the first intervals. `covered` speaks of both. A series unknown to the state has
    rows only where it has data. The result does not depend on how a day is cut into windows.

    Columns: interval_start, dimensions, measure, value, expected, lower, upper (the middle
    99.8 % of normal intervals), severity (0-100, NaN when it cannot be judged),
    direction ("above", "below", ""), reason (see `judge.py`).
    Raises ConfigError when the state was learned for another shape of connector.
    """
    state.check(connector)
    rows = frame if context is None or context.empty else pd.concat([context, frame])
    seen = Window(window.start - connector_context(connector), window.end)
    panel = build_panel(rows, connector, seen, covered, known=state.keys)
    calendar = Calendar.of(panel.times, connector.frequency)
    known = np.arange(len(panel.keys)) < len(state.keys)
    asked = panel.covered & (panel.times >= np.datetime64(naive(window.start)))
    shown = asked & (known[:, None] | panel.present)
    parts = [
        _as_frame(_judge(state, name, values, calendar), name, values, shown, panel)
        for name, values in panel.values.items()
    ]
    order = [TIME, *connector.dimensions, "measure"]
    return pd.concat(parts).sort_values(order, ignore_index=True)


def _judge(state: DetectorState, measure: str, values: Floats, calendar: Calendar) -> Judgement:
    learned = state.measures[measure]
    unseen = len(values) - len(state.keys)
    level = np.concatenate([learned.level, np.zeros(unseen)])
    if not state.ready:
        return judge_nothing(values, level)
    length = sum_length(state.frequency)
    allowed = budget(
        sum(int(part.active.sum()) for part in state.measures.values()), state.frequency
    )
    active = np.concatenate([learned.active, np.zeros(unseen, dtype=bool)])
    own, others = np.flatnonzero(active), np.flatnonzero(~active)
    known = judge_known(
        values[own],
        learned.baseline.of(own),
        learned.habit[own],
        calendar,
        length=length,
        allowed=allowed,
    )
    if learned.baseline.is_count:
        new = judge_newcomers(values[others], level[others], learned.newcomers, length, allowed)
    else:
        new = judge_nothing(values[others], level[others])
    place = np.argsort(np.concatenate([own, others]))
    return Judgement(
        *(
            np.concatenate([getattr(known, field.name), getattr(new, field.name)])[place]
            for field in fields(Judgement)
        )
    )


def _as_frame(
    judgement: Judgement, measure: str, values: Floats, shown: Flags, panel: Panel
) -> pd.DataFrame:
    series, interval = np.nonzero(shown)
    columns = {
        TIME: panel.times[interval],
        **{name: panel.keys[name].to_numpy()[series] for name in panel.keys.columns},
        "measure": measure,
        "value": values[shown],
    }
    columns |= {field.name: getattr(judgement, field.name)[shown] for field in fields(Judgement)}
    return pd.DataFrame(columns, index=range(len(series)))
