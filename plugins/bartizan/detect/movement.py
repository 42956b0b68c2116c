"""How much gauges move from one interval to the next: one that is stuck, or one that is restless.

What counts is the exponential mean, over the longer span, of absolute steps; steps beyond PULL
times the usual one count as that. And a series rests while its value is exactly the same: how often
it comes to rest and how often it goes on resting say how rare a rest of such a length is, as if
each interval were drawn anew (a geometric distribution). The two longest rests that are short
beside the history are taken for faults and say nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bartizan.compiled import compiled
from bartizan.detect.forecast import spread_of
from bartizan.detect.outlook import smooth
from bartizan.detect.panel import Flags, Floats

PULL = 4.0
LEAST_SPREAD = 0.1  # of the mean of steps, in usual steps
LONGER = 1.5  # times the longest rest that a rest must last to matter
FAULT = 0.05  # part of a history beyond which a rest is no fault
PART = 0.5  # by which the mean must differ from the usual step, and the present step too


@dataclass(frozen=True)
class Movement:
    """Of S series: the `usual` step (S), 0 for series that hardly ever move; the mean of steps in
    this unit, no more than PULL each (S), and the spread (S) of its exponential mean; the rarity
    (S) of coming to `rest`, and of each interval for which the rest then `lasts`; and the `longest`
    (S) that is no fault."""

    usual: Floats
    middle: Floats
    spread: Floats
    rest: Floats
    lasts: Floats
    longest: Floats


@dataclass(frozen=True)
class Moved:
    """What S series have just done: the `last` value (S), NaN for none yet, the exponential mean of
    steps, less the middle (S), and for how many intervals each has been `still` (S)."""

    last: Floats
    mean: Floats
    still: Floats


def begin_moving(movement: Movement) -> Moved:
    nothing = np.zeros(len(movement.usual))
    return Moved(np.full(len(nothing), np.nan), nothing, nothing)


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
    spread = spread_of(mean, np.full(len(values), LEAST_SPREAD))
    return Movement(usual, middle, spread, *_rests(steps))


def move(
    movement: Movement, moved: Moved, values: Floats, span: int
) -> tuple[Floats, Floats, Flags, Flags, Moved]:
    """How far the mean of steps is from the usual (S, T), in spreads; how rare it is to be still
    for so long (S, T); whether the series is restless and whether it is stuck, enough to matter;
    and what it has done after all."""
    steps, last = _steps(values, moved.last)
    pulled = _in_units(steps, movement.usual)
    middle = movement.middle[:, None]
    mean, end = smooth(pulled - middle, span, moved.mean)
    alive = (movement.usual > 0)[:, None]
    restless = alive & (mean > PART * middle) & (pulled > (1 + PART) * middle)
    stuck = alive & (mean < -PART * middle) & (pulled < (1 - PART) * middle)
    length, still = _stillness(steps, moved.still)
    rest = movement.rest[:, None] + movement.lasts[:, None] * np.maximum(length - 1, 0.0)
    rest = np.where(length > 0, rest, 0.0)
    done = Moved(last, end, still)
    stuck |= length > LONGER * movement.longest[:, None]
    return mean / movement.spread[:, None], rest, restless, stuck, done


def _rests(steps: Floats) -> tuple[Floats, Floats, Floats]:
    """Rarity (S) of coming to rest, and of resting on, from steps (S, T); the longest rest (S)."""
    chances, rests, still, longest = np.zeros((4, len(steps)))
    _count_rests(steps, FAULT * steps.shape[1], chances, rests, still, longest)
    rest, lasts = (rests + 1) / (chances + 2), (still - rests + 1) / (still + 2)
    return -np.log10(rest), -np.log10(lasts), longest


@compiled
def _count_rests(
    steps: Floats, fault: float, chances: Floats, rests: Floats, still: Floats, longest: Floats
) -> None:
    """Fills the last four, without two faults: intervals in which a rest could begin, the rests,
    the intervals in them and the longest of them."""
    for s in range(steps.shape[0]):
        length, first, second = 0.0, 0.0, 0.0
        for t in range(steps.shape[1] + 1):
            if t < steps.shape[1] and np.isnan(steps[s, t]):
                continue
            if t < steps.shape[1] and steps[s, t] == 0:
                length += 1
                continue
            chances[s] += 1
            if length > 0:
                rests[s] += 1
                still[s] += length
                usual = length
                if length <= fault and length > first:
                    usual, second, first = second, first, length
                elif length <= fault and length > second:
                    usual, second = second, length
                longest[s] = max(longest[s], usual)
                length = 0.0
        still[s] -= first + second
        rests[s] -= (first > 0) + (second > 0)


def _stillness(steps: Floats, before: Floats) -> tuple[Floats, Floats]:
    """For how many intervals each series has been still (S, T), and at the end (S)."""
    length, last = np.empty(steps.shape), before.copy()
    _count_still(steps, last, length)
    return length, last


@compiled
def _count_still(steps: Floats, last: Floats, length: Floats) -> None:
    for s in range(steps.shape[0]):
        for t in range(steps.shape[1]):
            if steps[s, t] == 0:
                last[s] += 1
            elif not np.isnan(steps[s, t]):
                last[s] = 0
            length[s, t] = last[s]


def _steps(values: Floats, last: Floats) -> tuple[Floats, Floats]:
    """Absolute differences (S, T) from the latest known value before, and the last one (S)."""
    joined = np.column_stack([last, values])
    place = np.where(np.isnan(joined), 0, np.arange(joined.shape[1]))
    latest = np.take_along_axis(joined, np.maximum.accumulate(place, axis=1), axis=1)
    return np.abs(values - latest[:, :-1]), latest[:, -1]


def _in_units(steps: Floats, usual: Floats) -> Floats:
    unit = np.where(usual > 0, usual, 1.0)[:, None]
    return np.minimum(steps / unit, PULL)
