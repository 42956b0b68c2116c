"""What a model says of intervals that it follows, before the verdict."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar, Protocol

import numpy as np

from bartizan.compiled import compiled
from bartizan.detect.calendar import Calendar
from bartizan.detect.panel import Flags, Floats

# A test has a direction: up and down in turn. The interval, a short and a long smoothed mean, and
# of gauges how much they move.
TESTS = (
    "spike", "drop", "rise", "fall", "sustained_rise", "sustained_drop", "restless", "stuck",
)  # fmt: skip
BEFORE_LONGEST = 4  # tests of a shorter memory than the longest mean
_SHORT = timedelta(minutes=10)
_HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Outlook:
    """`centre`, `spread` (S, T) in the model's own unit; `rare` (tests, S, T): -log10 of the tail
    probability under the model for each of TESTS, NaN where there is no value; `matters`
    (tests, S, T): whether the change is one that counts at all.
    """

    centre: Floats
    spread: Floats
    rare: Floats
    matters: Flags


class Model(Protocol):
    """How S series behave. It goes with a memory of what they have just done.

    `SHARPEN`: whether a calm history makes its tails thinner, and its bulk has a say (`habit.py`).
    `TESTS`: how many of them it has.
    """

    SHARPEN: ClassVar[bool]
    TESTS: ClassVar[int]

    def begin(self) -> Any:
        """The memory of series that have done nothing yet."""

    def follow(self, memory: Any, values: Floats, calendar: Calendar) -> tuple[Outlook, Any]:
        """Judge values (S, T), the ones after `memory`; returns the memory after the last."""

    def expected(self, outlook: Outlook) -> Floats:
        """What was expected (S, T), in the measure's unit."""

    def band(self, outlook: Outlook, below: Floats, above: Floats) -> tuple[Floats, Floats]:
        """Lower and upper end (S, T) that leave out tails of these probabilities (S)."""


def spans(frequency: timedelta) -> tuple[int, int]:
    """Intervals that the smoothed means span: half an hour and three of intervals up to 10
    minutes, 3 and 12 of those up to an hour, 3 and 7 of longer ones."""
    if frequency <= _SHORT:
        return 6, 36
    return (3, 12) if frequency <= _HOUR else (3, 7)


def smooth(values: Floats, span: int, start: Floats) -> tuple[Floats, Floats]:
    """Exponentially weighted means (S, T) over about `span` intervals, and the last one (S).

    With the gain 2 / (span + 1) its variance is that of a mean of so many (Roberts 1959, Control
    chart tests based on geometric moving averages). `start` (S) is the mean before the first; an
    interval without a value leaves it as it is.
    """
    means, last = np.empty(values.shape), start.copy()
    _smooth(np.ascontiguousarray(values), 2 / (span + 1), last, means)
    return means, last


@compiled
def _smooth(values: Floats, gain: float, last: Floats, means: Floats) -> None:
    for s in range(values.shape[0]):
        for t in range(values.shape[1]):
            if not np.isnan(values[s, t]):
                last[s] += gain * (values[s, t] - last[s])
            means[s, t] = last[s]


def patience(day_length: int) -> float:
    """Intervals that an error must persist to be believed: half a day, 6 to 48."""
    return float(np.clip(day_length / 2, 6, 48))
