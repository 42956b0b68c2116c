"""Learn from the first part of some metrics, and go through the rest as if it were live."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import pandas as pd

from bartizan.detect.feedback import excuse, from_new_level
from bartizan.detect.group import find_groups, settled
from bartizan.detect.learn import learn
from bartizan.detect.metrics import MetricFrame
from bartizan.detect.replay import Progress, history_length, replay
from bartizan.detect.score import score
from bartizan.detect.state import DetectorState
from bartizan.detect.tally import tally
from bartizan.errors import UsageError
from bartizan.model.anomaly import Incident
from bartizan.model.backtest import Tally
from bartizan.model.connector import Connector
from bartizan.model.feedback import Feedback
from bartizan.model.window import DAY, Window, aware, floor, format_time

MOST_INTERVALS = 5_000_000
SHARE = 0.7  # to learn from, as Lookout for Metrics


@dataclass(frozen=True)
class Backtest:
    """The scores and incidents of `scored`, begun with what `learned` taught; `state` is the last
    that was learned."""

    state: DetectorState
    learned: Window
    scored: Window
    scores: pd.DataFrame
    incidents: tuple[Incident, ...]
    tally: Tally


def backtest(
    metrics: MetricFrame,
    connector: Connector,
    train_until: datetime | None = None,
    train_share: float = SHARE,
    *,
    relearn: bool = True,
    on_progress: Progress | None = None,
    feedback: Sequence[Feedback] = (),
) -> Backtest:
    """Learn from the intervals before `train_until`, or from the first `train_share` of those that
    have rows, and score the others: learning anew at each midnight from the last 35 days (see
    `replay`), or once from all of the first part. The order of the rows does not matter.

    Raises UsageError when one of the two parts would be empty.
    """
    whole = _whole(metrics, connector)
    cut = floor(train_until or _cut(metrics, connector, train_share), connector.frequency)
    if not whole.start < cut < whole.end:
        raise UsageError(
            "--train-until",
            f"{format_time(cut)} leaves nothing to learn from or to score in {whole}",
            "choose a time within",
        )
    scored = Window(cut, whole.end)
    start = max(whole.start, cut - history_length(connector.frequency)) if relearn else whole.start
    learned = Window(start, cut)
    history = from_new_level(metrics.frame, feedback, cut)
    state = learn(history, connector, learned, metrics.covered)
    if relearn:
        scores, state = replay(
            state, metrics.frame, connector, scored, metrics.covered, on_progress, feedback
        )
    else:
        scores = score(state, metrics.frame, connector, scored, covered=metrics.covered)
        scores = excuse(scores, connector, feedback)
    groups = find_groups(scores, connector, connector.alert_threshold)
    return Backtest(
        state,
        learned,
        scored,
        scores,
        tuple(settled(group, connector, scored.end) for group in groups),
        tally(scores, state, connector, scored),
    )


def last_midnight(metrics: MetricFrame, connector: Connector, share: float) -> datetime | None:
    """The midnight before the first `share` of the intervals ends, from which on a backtest is what
    the live detector says; None where all of it is of one day."""
    midnight = floor(_cut(metrics, connector, share), DAY)
    return midnight if midnight > _whole(metrics, connector).start else None


def _whole(metrics: MetricFrame, connector: Connector) -> Window:
    first, last = (_at(metrics, place) for place in (0, -1))
    whole = Window(first, last + connector.frequency)
    if (whole.end - whole.start) / connector.frequency > MOST_INTERVALS:
        raise UsageError(
            f"{connector.name}: times",
            f"{whole} is more than {MOST_INTERVALS:,} intervals of {connector.frequency}",
            "correct the outlying times, or choose a part with --start and --end",
        )
    return whole


def _cut(metrics: MetricFrame, connector: Connector, share: float) -> datetime:
    if len(metrics.covered) < 2:
        raise UsageError(
            f"{connector.name}: times",
            f"all rows are of one interval, {format_time(_at(metrics, 0))}",
            "give more intervals: a series is judged after 300 of them, 14 when daily",
        )
    place = round(share * len(metrics.covered))
    return _at(metrics, min(max(place, 1), len(metrics.covered) - 1))


def _at(metrics: MetricFrame, place: int) -> datetime:
    return aware(metrics.covered[place].to_pydatetime())
