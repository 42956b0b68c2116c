"""How far a series' own history bears out what its model calls rare.

Rarity is -log10 of a probability. There are two views of the history, each of every test:

The whole of it: how often it came to a rarity of 2 and how far beyond it then went. A gamma prior
on the rate and on the slope stand for what the model claims (three and thirty events' worth). The
most extreme events are taken for attacks and cost nothing.

Its bulk: the tail from the 90th to the 98.5th percentile, carried on. What is rarer than that has
no say, so a past full of anomalies does not excuse tomorrow's.

Gauges are judged by the mean of both, counts, whose model knows its tail better, by the whole. And
of a gauge, what the history holds three times, and in half a percent of its intervals, is no rarer
than that; what is beyond it is rarer by no more than twice what the model claims.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bartizan.compiled import compiled
from bartizan.detect.panel import Floats
from bartizan.detect.ranks import quantiles

SETTLING = 12  # intervals at the start of a history in which nothing is yet itself
FROM = 2.0  # the rarity where the tail of the whole history begins
FAR = 4.0  # no event counts as further beyond it
TRIMMED = 2
OFTEN = 3  # events that are no accident, and the part of a history that they are at least
OFTEN_PART = 0.005
PACE = 2.0  # at which worth may grow beyond them
RATE_PRIOR, SLOPE_PRIOR = 3.0, 30.0
LEAST = 0.5  # rarity that FROM can shrink to
BULK = (0.10, 0.015)  # parts of the history beyond which its bulk's tail begins and ends
LEAST_BULK = 1.0  # claimed rarity of the former: its tail sharpens no ordinary point
STEEPEST = 3.0
LN10 = float(np.log(10))


@dataclass(frozen=True)
class Tail:
    """Per series and test (S, tests): a claimed rarity `at` is worth `start`, less is worth
    proportionally less, and beyond it `slope` is what each is worth."""

    at: Floats
    start: Floats
    slope: Floats

    def worth(self, rare: Floats) -> Floats:
        """What claimed rarities (tests, S, T) are worth."""
        at, start, slope = (part.T[:, :, None] for part in (self.at, self.start, self.slope))
        result: Floats = np.where(rare < at, rare * start / at, start + (rare - at) * slope)
        return result

    def claimed(self, rare: float) -> Floats:
        """The claimed rarities (S, tests) that are worth so much."""
        beyond = self.at + (rare - self.start) / self.slope
        result: Floats = np.where(rare < self.start, rare * self.at / self.start, beyond)
        return result


@dataclass(frozen=True)
class TwoTails:
    """What the `whole` history says of claimed rarities, and what its `bulk` says; and per series
    and test (S, tests) the claimed rarity that it `often` reached, and what is worth `at_most`.
    """

    whole: Tail
    bulk: Tail
    often: Floats
    at_most: Floats

    def worth(self, rare: Floats) -> Floats:
        """What claimed rarities (tests, S, T) are worth."""
        often, at_most = (part.T[:, :, None] for part in (self.often, self.at_most))
        return np.minimum(self._both(rare), at_most + PACE * np.maximum(rare - often, 0.0))

    def claimed(self, rare: float) -> Floats:
        """The claimed rarities (S, tests) that are worth so much."""
        both, beyond = self._claimed(rare), self.often + (rare - self.at_most) / PACE
        return np.where(rare > self.at_most, np.maximum(both, beyond), both)

    def _both(self, rare: Floats) -> Floats:
        return 0.5 * (self.whole.worth(rare) + self.bulk.worth(rare))

    def _claimed(self, rare: float) -> Floats:
        """The inverse of `_both`, which is linear up to, between and beyond the places where the
        two tails begin."""
        low = np.minimum(self.whole.at, self.bulk.at)
        high = np.maximum(self.whole.at, self.bulk.at)
        least, most = (self._both(at.T[:, :, None])[:, :, 0].T for at in (low, high))
        between = low + (rare - least) * (high - low) / np.maximum(most - least, 1e-12)
        beyond = high + (rare - most) * 2 / (self.whole.slope + self.bulk.slope)
        result: Floats = np.where(rare < least, rare * low / least, between)
        return np.where(rare < most, result, beyond)


Habit = Tail | TwoTails


def fit_habit(rare: Floats, *, sharpen: bool) -> Habit:
    """From claimed rarities (tests, S, T) of a history, NaN where unknown.

    With `sharpen` a history calmer than its model makes it more sure, and its bulk has a say; else
    it can only dull it.
    """
    rare = rare[:, :, SETTLING:]
    known = np.isfinite(rare).sum(axis=2)
    seen = np.nan_to_num(rare)
    whole = _whole(seen, known, sharpen)
    if not sharpen:
        return whole
    often = np.maximum(OFTEN_PART * known, OFTEN)
    at_most = np.log10(np.maximum(known / often, 10.0))
    return TwoTails(whole, _bulk(seen, known), _often(seen, often).T.copy(), at_most.T.copy())


def fit_tail(rare: Floats, *, sharpen: bool) -> Tail:
    """What the whole of a history says of claimed rarities (tests, S, T), NaN where unknown."""
    rare = rare[:, :, SETTLING:]
    return _whole(np.nan_to_num(rare), np.isfinite(rare).sum(axis=2), sharpen)


def _whole(rare: Floats, known: Floats, sharpen: bool) -> Tail:
    events, excess = _events(rare)
    rate = (events + RATE_PRIOR) / (known * 10**-FROM + RATE_PRIOR)
    slope = (events + SLOPE_PRIOR) / (LN10 * excess + SLOPE_PRIOR)
    if not sharpen:
        rate, slope = np.maximum(rate, 1.0), np.minimum(slope, 1.0)
    start = np.maximum(FROM - np.log10(rate), LEAST).T.copy()
    return Tail(np.full_like(start, FROM), start, slope.T.copy())


def _bulk(rare: Floats, known: Floats) -> Tail:
    """Exponential between the two quantiles, and as steep beyond."""
    every = rare.reshape(-1, rare.shape[2])
    begin, end = quantiles(every, [1 - part for part in BULK]).reshape(2, *known.shape)
    begin = np.maximum(begin, LEAST_BULK)
    orders = np.log10(BULK[0] / BULK[1])
    points = known * (BULK[0] - BULK[1])
    shallow = np.maximum(end - begin, 1e-3) / orders
    slope = np.minimum((points + SLOPE_PRIOR) / (points * shallow + SLOPE_PRIOR), STEEPEST)
    start = np.full(begin.shape, -np.log10(BULK[0]))
    return Tail(begin.T.copy(), start.T.copy(), slope.T.copy())


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


def _often(rare: Floats, often: Floats) -> Floats:
    """The rarity (tests, S) that so many events (tests, S) beyond FROM reached, 0 where there are
    fewer."""
    found = np.zeros(rare.shape[:2])
    _nth_greatest(rare, often, found)
    return found


@compiled
def _nth_greatest(rare: Floats, often: Floats, found: Floats) -> None:
    peaks = np.zeros(rare.shape[2] // 2 + 1)
    for test in range(rare.shape[0]):
        for s in range(rare.shape[1]):
            events, peak = 0, 0.0
            for t in range(rare.shape[2] + 1):
                here = rare[test, s, t] if t < rare.shape[2] else 0.0
                if here > FROM:
                    peak = max(peak, here)
                elif peak > 0:
                    peaks[events] = peak
                    events += 1
                    peak = 0.0
            needed = int(np.ceil(often[test, s]))
            if events >= needed:
                found[test, s] = np.sort(peaks[:events])[events - needed]
