"""The numbers of a backtest: alarms at each threshold, severities against the budget."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd

from bartizan.detect.group import find_groups
from bartizan.detect.judge import CONTINUES
from bartizan.detect.severity import AT_BUDGET, budget
from bartizan.detect.state import DetectorState
from bartizan.model.backtest import AtThreshold, SeriesStates, SeverityBin, Tally
from bartizan.model.connector import Connector
from bartizan.model.window import Window

THRESHOLDS = tuple(float(one) for one in range(50, 100, 5))
_BIN = 5
_WEEK = timedelta(days=7)


def tally(
    scores: pd.DataFrame, state: DetectorState, connector: Connector, window: Window
) -> Tally:
    """Count what `scores` of `window` amount to, at THRESHOLDS and the connector's own; `state` is
    the last that was learned."""
    severity = scores["severity"].to_numpy(dtype=float)
    news = severity[~np.isnan(severity) & (scores["reason"] != CONTINUES).to_numpy(dtype=bool)]
    judged = int(np.isfinite(severity).sum())
    ready = sum(int(measure.active.sum()) for measure in state.measures.values())
    tests = judged * state.tests / max(ready, 1)
    allowed = budget(state.tests, connector.frequency)
    return Tally(
        tuple(
            _at(one, scores, news, connector, window, by_chance(one, tests, judged, allowed))
            for one in sorted({*THRESHOLDS, connector.alert_threshold})
        ),
        _bins(news, tests, judged, allowed),
        tuple(
            SeriesStates(
                name,
                int(measure.active.sum()) if state.ready else 0,
                int((~measure.active).sum()) if state.ready else len(measure.active),
            )
            for name, measure in state.measures.items()
        ),
        len(scores),
        judged,
    )


def by_chance(severity: float, tests: float, judged: int, allowed: float) -> float:
    """How many of `judged` normal points, of so many tests in all, are at or above a severity, when
    `allowed` is the rarity of severity 70: the inverse of `severity.severity`."""
    if severity >= 100:
        return 0.0
    if severity <= AT_BUDGET:
        rare = allowed * severity / AT_BUDGET
    else:
        rare = allowed - 3 * np.log(1 - (severity - AT_BUDGET) / (100 - AT_BUDGET))
    return float(min(tests * 10**-rare, judged))


def _at(
    threshold: float,
    scores: pd.DataFrame,
    news: np.ndarray,
    connector: Connector,
    window: Window,
    chance: float,
) -> AtThreshold:
    found = len(find_groups(scores, connector, threshold))
    per_week = found / ((window.end - window.start) / _WEEK)
    return AtThreshold(threshold, found, per_week, int((news >= threshold).sum()), chance)


def _bins(news: np.ndarray, tests: float, judged: int, allowed: float) -> tuple[SeverityBin, ...]:
    edges = np.arange(0, 100 + _BIN, _BIN)
    counts, _ = np.histogram(news, edges)
    chance = [by_chance(float(edge), tests, judged, allowed) for edge in edges]
    return tuple(
        SeverityBin(float(edges[i]), float(edges[i + 1]), int(count), chance[i] - chance[i + 1])
        for i, count in enumerate(counts)
    )
