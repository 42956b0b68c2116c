"""How much gauges move from one interval to the next: one that is stuck, or one that is restless.

What counts is the exponential mean, over the longer span, of absolute steps; steps beyond PULL
times the usual one count as that.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bartizan.detect.forecast import spread_of
from bartizan.detect.outlook import smooth
from bartizan.detect.panel import Flags, Floats

PULL = 4.0
LEAST_SPREAD = 0.1  # of the mean of steps, in usual steps
PART = 0.5  # by which the mean must differ from the usual step, and the present step too


@dataclass(frozen=True)
class Movement:
    """Of S series: the `usual` step (S), 0 for series that hardly ever move; the mean of steps in
    this unit, no more than PULL each (S), and the spread (S) of its exponential mean."""

    usual: Floats
    middle: Floats
    spread: Floats


@dataclass(frozen=True)
class Moved:
    """What S series have just done: the `last` value (S), NaN for none yet, and the exponential
    mean of steps, less the middle (S)."""

    last: Floats
    mean: Floats


def begin_moving(movement: Movement) -> Moved:
    return Moved(np.full(len(movement.usual), np.nan), np.zeros(len(movement.usual)))


def fit_movement(values: Floats, span: int) -> Movement:
    """From a history (S, T), NaN where unknown."""
    steps, _ = _steps(values, np.full(len(values), np.nan))
    known = np.isfinite(steps)
    count = np.maximum(known.sum(axis=1), 1)
    zero = np.where(known, steps, 0.0)
    usual = np.where(2 * (zero > 0).sum(axis=1) > count, zero.sum(axis=1) / count, 0.0)
    pulled = _in_units(steps, usual)
    middle = np.where(known, pulled, 0.0).sum(axis=1) / count
    mean, _ = smooth(pulled - middle[:, None], span, np.zeros(len(values)))
    return Movement(usual, middle, spread_of(mean, np.full(len(values), LEAST_SPREAD)))


def move(
    movement: Movement, moved: Moved, values: Floats, span: int
) -> tuple[Floats, Flags, Flags, Moved]:
    """How far the mean of steps is from the usual (S, T), in spreads; whether the series is
    restless and whether it is stuck, enough to matter; and what it has done after all."""
    steps, last = _steps(values, moved.last)
    pulled = _in_units(steps, movement.usual)
    middle = movement.middle[:, None]
    mean, end = smooth(pulled - middle, span, moved.mean)
    alive = (movement.usual > 0)[:, None]
    restless = alive & (mean > PART * middle) & (pulled > (1 + PART) * middle)
    stuck = alive & (mean < -PART * middle) & (pulled < (1 - PART) * middle)
    return mean / movement.spread[:, None], restless, stuck, Moved(last, end)


def _steps(values: Floats, last: Floats) -> tuple[Floats, Floats]:
    """Absolute differences (S, T) from the latest known value before, and the last one (S)."""
    joined = np.column_stack([last, values])
    place = np.where(np.isnan(joined), 0, np.arange(joined.shape[1]))
    latest = np.take_along_axis(joined, np.maximum.accumulate(place, axis=1), axis=1)
    return np.abs(values - latest[:, :-1]), latest[:, -1]


def _in_units(steps: Floats, usual: Floats) -> Floats:
    unit = np.where(usual > 0, usual, 1.0)[:, None]
    return np.minimum(steps / unit, PULL)
