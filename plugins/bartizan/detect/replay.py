"""History gone through as if it were live: what scores an interval was learned before its day.

A UTC day is scored by what was learned from the 35 days before it (`history_for`), anew at each
midnight, as `run.py` does it on metric files. So a backtest says what the detector would have said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

import pandas as pd

from bartizan.detect.feedback import excuse, from_new_level
from bartizan.detect.learn import learn
from bartizan.detect.panel import TIME
from bartizan.detect.score import context_start, score
from bartizan.detect.state import DetectorState
from bartizan.model.connector import Connector
from bartizan.model.feedback import Feedback
from bartizan.model.window import DAY, Window, floor, naive

LEARN_FROM = timedelta(days=35)
LEAST_INTERVALS = 400  # of which is learned where 35 days have fewer
PAUSE = 7  # intervals of a day or more between two learnings

Progress = Callable[[int, int], None]  # days done, of how many


def history_for(instant: datetime, frequency: timedelta) -> Window:
    """What is learned from to score the interval at `instant`: up to the last time of learning."""
    end = floor(floor(instant, _pause(frequency)), frequency)
    return Window(end - history_length(frequency), end)


def history_length(frequency: timedelta) -> timedelta:
    return max(LEARN_FROM, LEAST_INTERVALS * frequency)


def replay(
    state: DetectorState,
    rows: pd.DataFrame,
    connector: Connector,
    window: Window,
    covered: pd.DatetimeIndex | None = None,
    on_progress: Progress | None = None,
    feedback: Sequence[Feedback] = (),
) -> tuple[pd.DataFrame, DetectorState]:
    """Score `window`, learning anew at each midnight within; returns the last state, too.

    `state` scores what comes before the first midnight. `rows`, as for `learn`, hold the history as
    well as the window; `covered` speaks of both. A day before which there are no rows to learn from
    is scored by what was learned last; live it is not scored. Columns and order are those of
    `score`. `feedback` has the effect that it has live.
    """
    rows = rows.sort_values(TIME, kind="stable", ignore_index=True)
    times = pd.DatetimeIndex(rows[TIME])
    given = pd.DatetimeIndex(times.unique()) if covered is None else covered.sort_values()
    pieces = list(_pieces(window, connector.frequency))
    found = []
    for done, piece in enumerate(pieces, start=1):
        if len(_inside(given, piece)):
            state = _learned(state, rows, times, given, connector, piece.start, feedback)
            seen = Window(context_start(state, connector), piece.end)
            part, known = rows.iloc[_within(times, seen)], _inside(given, seen)
            scores = score(state, part, connector, piece, covered=known)
            found.append(excuse(scores, connector, feedback))
        if on_progress is not None:
            on_progress(done, len(pieces))
    return pd.concat(found, ignore_index=True), state


def _learned(
    state: DetectorState,
    rows: pd.DataFrame,
    times: pd.DatetimeIndex,
    covered: pd.DatetimeIndex,
    connector: Connector,
    instant: datetime,
    feedback: Sequence[Feedback],
) -> DetectorState:
    """What scores from `instant` on: learned anew, unless `state` is that already."""
    window = history_for(instant, connector.frequency)
    if state.learned.end > window.end or _is_of(state, window):
        return state
    history = from_new_level(rows.iloc[_within(times, window)], feedback, window.end)
    return learn(history, connector, window, _inside(covered, window)) if len(history) else state


def _is_of(state: DetectorState, window: Window) -> bool:
    return state.learned.end == window.end and state.learned.start >= window.start


def _pieces(window: Window, frequency: timedelta) -> Iterator[Window]:
    """The parts of the window between two times of learning, cut where intervals begin."""
    for piece in window.pieces(_pause(frequency)):
        yield Window(floor(piece.start, frequency), floor(piece.end, frequency))


def _pause(frequency: timedelta) -> timedelta:
    return DAY if frequency < DAY else PAUSE * frequency


def _within(times: pd.DatetimeIndex, window: Window) -> slice:
    first, end = times.searchsorted([naive(window.start), naive(window.end)])
    return slice(int(first), int(end))


def _inside(times: pd.DatetimeIndex, window: Window) -> pd.DatetimeIndex:
    return times[_within(times, window)]
