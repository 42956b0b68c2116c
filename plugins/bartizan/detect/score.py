"""Score every series in every interval. Score is not verdict: see group.py."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import numpy as np
import pandas as pd

from bartizan.detect.judge_rows import Places, judge_rows
from bartizan.detect.outlook import spans
from bartizan.detect.panel import arrange
from bartizan.detect.scored import Scored
from bartizan.detect.state import DetectorState
from bartizan.detect.totals import total_by, with_total
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
    What the connector's calendar excludes has reason "excluded" and moves no level.
    Raises ConfigError when the state was learned for another shape of connector, UsageError when
    the window begins before the end of what was learned.
    """
    return follow(state, frame, connector, window, context, covered)[0]


def follow(
    state: DetectorState,
    frame: pd.DataFrame,
    connector: Connector,
    window: Window,
    context: pd.DataFrame | None = None,
    covered: pd.DatetimeIndex | None = None,
) -> tuple[pd.DataFrame, DetectorState]:
    """What `score` returns, and the state as it is after the window: it scores what comes then
    without going through the earlier rows again."""
    state.check(connector)
    if window.start < state.seen:
        raise UsageError(
            f"{connector.name}: window",
            f"{window} begins before {state.seen}, up to which the detector has seen",
            "learn from what comes before the window",
        )
    given = frame if context is None or context.empty else pd.concat([context, frame])
    span = Window(context_start(state, connector), window.end)
    rows = arrange(given, connector, span, covered, state.keys, state.shard)
    since, ahead, start = (
        int(np.searchsorted(rows.times, np.datetime64(naive(time), "us")))
        for time in (_newcomers_since(state), state.seen, window.start)
    )
    asked = start + np.flatnonzero(rows.covered[start:])
    scored = Scored.empty(rows.times[asked], rows.keys, state.measures)
    after = judge_rows(state, rows, Places(since, ahead, asked), scored)
    scores = scored.frame(in_order_already=len(rows.keys) == len(state.keys))
    totals = []
    for learned in state.totals:
        total = total_by(connector, learned.dimensions)
        of_total, total_after = follow(learned, frame, total, window, context, covered)
        scores = with_total(scores, of_total, connector, total)
        totals.append(total_after)
    return scores, replace(after, seen=window.end, totals=tuple(totals))


def context_start(state: DetectorState, connector: Connector) -> datetime:
    """From when on `score` must see rows: the end of what the state has seen; before it as far as
    newcomers are looked back at, and before that as far as values are carried."""
    carried = max(measure.carry_for for measure in connector.measures)
    return _newcomers_since(state) - carried


def _newcomers_since(state: DetectorState) -> datetime:
    """From when on counts of newcomers are added up in the first interval after `state.seen`."""
    before = (spans(state.frequency)[0] - 1) * state.frequency
    return max(state.learned.end, state.seen - before)
