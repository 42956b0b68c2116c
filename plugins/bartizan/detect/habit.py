"""How far a series' own history bears out what its model calls rare.

Rarity is -log10 of a probability. Of each test the history says how often it came to a rarity of 2
and how far beyond it then went; a gamma prior on the rate and on the slope stand for what the model
claims (three and thirty events' worth). The most extreme events of the history are taken for
attacks and cost nothing, so that the past's anomalies do not excuse tomorrow's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bartizan.detect.compiled import compiled
from bartizan.detect.panel import Floats

FROM = 2.0  # the rarity where a tail begins
FAR = 4.0  # no event counts as further beyond it
TRIMMED = 2
RATE_PRIOR, SLOPE_PRIOR = 3.0, 30.0
LEAST = 0.5  # rarity that FROM can shrink to
LN10 = float(np.log(10))


@dataclass(frozen=True)
class Habit:
    """Per series and test (S, tests): the rarity `start` that a claimed one of 2 is worth, and
    the `slope` beyond it."""

    start: Floats
    slope: Floats

    def worth(self, rare: Floats) -> Floats:
        """What claimed rarities (tests, S, T) are worth."""
        start, slope = self.start.T[:, :, None], self.slope.T[:, :, None]
        beyond = start + (rare - FROM) * slope
        result: Floats = np.where(rare < FROM, rare * start / FROM, beyond)
        return result

    def claimed(self, rare: float) -> Floats:
        """The claimed rarities (S, tests) that are worth so much."""
        beyond = FROM + (rare - self.start) / self.slope
        result: Floats = np.where(rare < self.start, rare * FROM / self.start, beyond)
        return result


def fit_habit(rare: Floats, *, sharpen: bool) -> Habit:
    """From claimed rarities (tests, S, T) of a history, NaN where unknown.

    With `sharpen` a history calmer than its model makes it more sure; else it can only dull it.
    """
    known = np.isfinite(rare).sum(axis=2)
    events, excess = _events(np.nan_to_num(rare))
    rate = (events + RATE_PRIOR) / (known * 10**-FROM + RATE_PRIOR)
    slope = (events + SLOPE_PRIOR) / (LN10 * excess + SLOPE_PRIOR)
    if not sharpen:
        rate, slope = np.maximum(rate, 1.0), np.minimum(slope, 1.0)
    return Habit(np.maximum(FROM - np.log10(rate), LEAST).T.copy(), slope.T.copy())


def _events(rare: Floats) -> tuple[Floats, Floats]:
    """Number (tests, S) of events beyond FROM, runs of intervals, and the sum of their excesses,
    without the TRIMMED greatest."""
    events, excess = np.zeros(rare.shape[:2]), np.zeros(rare.shape[:2])
    _count_events(rare, events, excess)
    return events, excess


@compiled
def _count_events(rare: Floats, events: Floats, excess: Floats) -> None:
    top = np.zeros(TRIMMED)
    for test in range(rare.shape[0]):
        for s in range(rare.shape[1]):
            top[:] = 0
            peak = 0.0
            for t in range(rare.shape[2] + 1):
                beyond = min(rare[test, s, t] - FROM, FAR) if t < rare.shape[2] else 0.0
                if beyond > 0:
                    peak = max(peak, beyond)
                elif peak > 0:
                    least = top.argmin()
                    events[test, s] += 1
                    excess[test, s] += peak
                    top[least] = max(top[least], peak)
                    peak = 0.0
            events[test, s] -= (top > 0).sum()
            excess[test, s] -= top.sum()
