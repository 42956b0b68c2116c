"""Score every series in every interval. Score is not verdict: see group.py."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime

import numpy as np
import pandas as pd

from bartizan.detect.calendar import Calendar
from bartizan.detect.judge import Judgement, judge_known, judge_newcomers, judge_nothing
from bartizan.detect.outlook import spans
from bartizan.detect.panel import TIME, Flags, Floats, Panel, build_panel
from bartizan.detect.severity import budget
from bartizan.detect.state import DetectorState, MeasureState
from bartizan.errors import UsageError
from bartizan.model.connector import Connector
from bartizan.model.window import Window, naive


def score(
    state: DetectorState,
    frame: pd.DataFrame,
    connector: Connector,
    window: Window,
    context: pd.DataFrame | None = None,
    covered: pd.DatetimeIndex | None = None,
) -> pd.DataFrame:
    """One row per series, measure and covered interval of `window`, ordered by time and series.

    `frame` is shaped as for `learn`; `context` holds the rows from `context_start` to the window
    (rows of `frame` before the window serve as well): the models go through them first, so the
    result does not depend on how the time since the learning is cut into windows. `covered` speaks
    of both. A series unknown to the state has rows only where it has data.

    Columns: interval_start, dimensions, measure, value, expected, lower, upper (the middle
    99.8 % of normal intervals), severity (0-100, NaN when it cannot be judged),
    direction ("above", "below", ""), reason (see `judge.py`).
    Raises ConfigError when the state was learned for another shape of connector, UsageError when
    the window begins before the end of what was learned.
    """
    state.check(connector)
    if window.start < state.learned.end:
        raise UsageError(
            f"{connector.name}: window",
            f"{window} begins before {state.learned.end}, up to which was learned",
            "learn from what comes before the window",
        )
    rows = frame if context is None or context.empty else pd.concat([context, frame])
    seen = Window(context_start(state, connector), window.end)
    panel = build_panel(rows, connector, seen, covered, known=state.keys)
    panel = panel.since(np.datetime64(naive(state.learned.end)))
    calendar = Calendar.of(panel.times, connector.frequency)
    known = np.arange(len(panel.keys)) < len(state.keys)
    asked = panel.covered & (panel.times >= np.datetime64(naive(window.start)))
    shown = asked & (known[:, None] | panel.present)
    allowed = budget(
        sum(int(measure.active.sum()) for measure in state.measures.values()), state.frequency
    )
    parts = [
        _as_frame(
            _judge(state, state.measures[name], values, calendar, allowed),
            name,
            values,
            shown,
            panel,
        )
        for name, values in panel.values.items()
    ]
    order = [TIME, *connector.dimensions, "measure"]
    return pd.concat(parts).sort_values(order, ignore_index=True)


def context_start(state: DetectorState, connector: Connector) -> datetime:
    """From when on `score` must see rows: the end of what was learned, and before it as far as
    values are carried."""
    return state.learned.end - max(measure.carry_for for measure in connector.measures)


def _judge(
    state: DetectorState,
    learned: MeasureState,
    values: Floats,
    calendar: Calendar,
    allowed: float,
) -> Judgement:
    """Judge values (S, T), the series of the state first."""
    level = np.concatenate([learned.level, np.zeros(len(values) - len(state.keys))])
    if not state.ready:
        return judge_nothing(values, level)
    judged = [
        (part.rows, judge_known(part, values[part.rows], calendar, allowed)[0])
        for part in learned.parts
    ]
    modelled = np.zeros(len(values), dtype=bool)
    for rows, _ in judged:
        modelled[rows] = True
    others = np.flatnonzero(~modelled)
    if learned.newcomers is not None:
        length = spans(state.frequency)[0]
        new = judge_newcomers(values[others], level[others], learned.newcomers, length, allowed)
    else:
        new = judge_nothing(values[others], level[others])
    judged.append((others, new))
    place = np.argsort(np.concatenate([rows for rows, _ in judged]))
    return Judgement(
        *(
            np.concatenate([getattr(one, field.name) for _, one in judged])[place]
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
