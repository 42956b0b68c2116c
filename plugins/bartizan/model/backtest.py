"""What a backtest counted: how often a detector would have alarmed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class AtThreshold:
    """Of an alert threshold: `incidents`, and how many a week; `points` (a series in an interval)
    at or above it that are news, and `by_chance`, how many of them the budget allows."""

    threshold: float
    incidents: int
    per_week: float
    points: int
    by_chance: float


@dataclass(frozen=True)
class SeverityBin:
    """Points of a severity in [start, end), the last bin with its end; and how many of them
    normal data would have, by the budget."""

    start: float
    end: float
    points: int
    by_chance: float


@dataclass(frozen=True)
class SeriesStates:
    """How many series of a measure are ready to be judged, and how many still learn."""

    measure: str
    ready: int
    learning: int


@dataclass(frozen=True)
class Tally:
    """The numbers of a backtest: `judged` points have a severity, of all `points`."""

    thresholds: tuple[AtThreshold, ...]
    severities: tuple[SeverityBin, ...]
    series: tuple[SeriesStates, ...]
    points: int
    judged: int
