"""How unusual each interval of a series is, and why.

Reasons: spike, drop (the interval by itself), sustained_rise, sustained_drop (the sum of the last
intervals), new_entity (a series without a history of its own, far beyond first appearances),
normal (no change that matters), not_ready (too little history), missing (no value).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from bartizan.detect.calendar import Calendar
from bartizan.detect.newcomers import Newcomers
from bartizan.detect.panel import Floats
from bartizan.detect.severity import AT_BUDGET, rarity, severity
from bartizan.detect.views import Baseline, View, rolling_sum, single_view, sum_view

BAND = 3.0  # the band leaves out one in 10^3 normal intervals on either side
MIN_CHANGE, MIN_SHARE = 5.0, 0.25  # counts: no smaller change matters, absolute and relative
MIN_SUM_CHANGE = 10.0
MIN_NEW = 10.0
PART = 0.6  # an interval belongs to a sustained change when it has this part of the mean change

NORMAL, NOT_READY, NEW_ENTITY, MISSING = "normal", "not_ready", "new_entity", "missing"
_TESTS = np.array(["spike", "drop", "sustained_rise", "sustained_drop"], dtype=object)
_DIRECTIONS = np.array(["above", "below", "above", "below"], dtype=object)

Texts = NDArray[np.object_]


@dataclass(frozen=True)
class Judgement:
    """Arrays of one shape (S, T), as the columns of the scores."""

    expected: Floats
    lower: Floats
    upper: Floats
    severity: Floats
    direction: Texts
    reason: Texts


def judge_known(
    values: Floats,
    baseline: Baseline,
    habit: Floats,
    calendar: Calendar,
    *,
    length: int,
    allowed: float,
) -> Judgement:
    """Judge values (S, T) by the series' own history; `allowed` is the rarity of severity 70."""
    single = single_view(values, baseline, calendar)
    tails = [_tail(single, up, MIN_CHANGE) for up in (True, False)]
    if length > 1:
        sums = sum_view(single, baseline, calendar, length)
        tails += [_sustained_tail(sums, single, length, up) for up in (True, False)]
    rare = np.stack([rarity(tail) / habit[:, [i]] for i, tail in enumerate(tails)])
    highest, strongest = rare.max(axis=0), rare.argmax(axis=0)
    absent = np.isnan(values)
    calm = absent | (highest == 0)
    reason = np.where(calm, NORMAL, _TESTS[strongest])
    lower, upper = _band(single, habit)
    return Judgement(
        single.mean,
        lower,
        upper,
        np.where(absent, np.nan, severity(highest, allowed)),
        np.where(calm, "", _DIRECTIONS[strongest]),
        np.where(absent, MISSING, reason),
    )


def judge_newcomers(
    values: Floats, level: Floats, newcomers: Newcomers, length: int, allowed: float
) -> Judgement:
    """Judge counts (S, T) of series without enough history by how others first appeared.

    `level` (S) is a series' mean so far, 0 when it was never seen.
    """
    shape, own = values.shape, level[:, None]
    value = np.nan_to_num(values)
    single = _population(value, newcomers.mean, newcomers.dispersion, own)
    total = rolling_sum(value, length)
    sums = _population(total, newcomers.sum_mean, newcomers.sum_dispersion, own * length)
    tail = np.minimum(
        single.tail_where(value - single.mean >= MIN_NEW, up=True),
        sums.tail_where((total - sums.mean >= MIN_NEW) & (value > own), up=True),
    )
    found = severity(rarity(tail), allowed)
    beyond = found >= AT_BUDGET
    upper = _band(single, np.ones((shape[0], 2)))[1]
    return Judgement(
        np.broadcast_to(own, shape),
        np.zeros(shape),
        upper,
        np.where(beyond, found, np.nan),
        np.where(beyond, "above", "").astype(object),
        np.where(beyond, NEW_ENTITY, NOT_READY).astype(object),
    )


def judge_nothing(values: Floats, level: Floats) -> Judgement:
    """Every value (S, T) is not ready to be judged; `level` (S) is all that is known."""
    unknown = np.full(values.shape, np.nan)
    return Judgement(
        np.broadcast_to(level[:, None], values.shape),
        unknown,
        unknown,
        unknown,
        np.full(values.shape, "", dtype=object),
        np.full(values.shape, NOT_READY, dtype=object),
    )


def _tail(view: View, up: bool, least: float) -> Floats:
    change = view.value - view.mean if up else view.mean - view.value
    matters = change >= np.maximum(least, MIN_SHARE * view.mean) if view.is_count else change > 0
    return view.tail_where(matters, up)


def _sustained_tail(sums: View, single: View, length: int, up: bool) -> Floats:
    """The tail of the sum where the interval itself still takes its part in it, else 1."""
    mean_change = (sums.value - sums.mean) / length
    change = single.value - single.mean
    takes_part = change >= PART * mean_change if up else change <= PART * mean_change
    return np.where(takes_part, _tail(sums, up, MIN_SUM_CHANGE), 1.0)


def _population(value: Floats, mean: float, dispersion: float, own: Floats) -> View:
    expected = np.broadcast_to(np.maximum(own, mean), value.shape)
    return View(value, expected, np.full(value.shape, dispersion), is_count=True)


def _band(view: View, habit: Floats) -> tuple[Floats, Floats]:
    """Lower and upper end of the normal range, wider for series with a habit.

    Counts: the cube-root approximation of the gamma distribution with the same mean and variance
    (Wilson and Hilferty 1931), rounded outwards to whole counts.
    """
    up, down = (-ndtri(10.0 ** (-BAND * habit[:, [i]])) for i in (0, 1))
    if not view.is_count:
        spread = np.sqrt(view.variance)
        return view.mean - down * spread, view.mean + up * spread
    shape = np.sqrt(view.variance) / (3 * view.mean)
    lower = view.mean * np.maximum(1 - shape**2 - down * shape, 0) ** 3
    upper = view.mean * np.maximum(1 - shape**2 + up * shape, 0) ** 3
    return np.floor(lower), np.ceil(np.maximum(upper, view.mean))
