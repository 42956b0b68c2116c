"""Which sums and counts are described as gauges.

A count of independent events moves at least as much from one interval to the next as chance makes
it: what is smoother (connections, threads, a total that goes on and on) is a level. And the own
past of a dense series foretells it better than a season does; but the tail of a gauge is heavy, so
that holds only where few tests share the budget, and none needs to be rarer than such a tail tells.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bartizan.detect.panel import Flags, Floats
from bartizan.detect.ranks import medians

LEAST = 10.0  # median from which a level can be told from a count
SMOOTH = 0.5  # part of the usual step of Poisson counts that steps of a level stay below
EVEN = 0.5  # part of a step by which the next one differs, on a ramp
DENSE = 1000.0  # median from which a series is dense: chance moves it by 3 %
TELLS = 5.0  # the rarity up to which the tail of a gauge is asked


@dataclass(frozen=True)
class Kinds:
    """Of S series: which are `level` whatever else, and which are `dense`."""

    level: Flags
    dense: Flags

    def gauges(self, allowed: float) -> Flags:
        """Which are described as gauges (S); `allowed` is the rarity of severity 70."""
        return self.level | self.dense if allowed <= TELLS else self.level


def kinds_of_gauges(series: int) -> Kinds:
    every = np.ones(series, dtype=bool)
    return Kinds(every, every)


def kinds_of(counts: Floats, mean: Floats) -> Kinds:
    """Of counts (S, T), NaN where unknown, and their means (S)."""
    level, dense = np.zeros((2, len(counts)), dtype=bool)
    some = np.flatnonzero(mean >= LEAST / 2)  # no smaller mean has such a median
    if len(some):
        level[some], dense[some] = _kinds(counts[some])
    return Kinds(level, dense)


def _kinds(counts: Floats) -> tuple[Flags, Flags]:
    middle = medians(counts)
    steps = np.diff(counts, axis=1)
    step = _usual(steps)
    by_chance = np.sqrt(2 * middle) / 1.4826
    smooth = (step < SMOOTH * by_chance) | (_usual(np.diff(steps, axis=1)) < EVEN * step)
    return (middle >= LEAST) & smooth, middle >= DENSE


def _usual(steps: Floats) -> Floats:
    """Median size (S), 0 where none is known."""
    known = np.where(np.isfinite(steps).any(axis=1, keepdims=True), steps, 0.0)
    return medians(np.abs(known))
