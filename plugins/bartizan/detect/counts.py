"""Counts: a seasonal negative binomial with partial pooling.

Expected counts: the mean of each slot (hour of day x weekday or weekend), clipped against past
attacks, shrunk to the series' level times the shape its group of series shares (the first
dimension, such as the web ACL). The less a slot says by itself, the more it borrows; this is
empirical-Bayes shrinkage (Efron and Morris 1975) with a fixed between-series spread.

Spread: variance m + d m^2 (negative binomial, NB2: Cameron and Trivedi, Regression Analysis of
Count Data, 2013, ch. 3), d by the method of moments from clipped residuals, shrunk to the pool.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import betainc

from bartizan.compiled import compiled
from bartizan.detect.calendar import DAY_TYPES, HOURS, SLOTS, Calendar
from bartizan.detect.panel import Floats, Integers
from bartizan.detect.ranks import medians
from bartizan.detect.sums import sums_by

SHAPE_SPREAD = 0.4  # standard deviation of a series' slot mean around the shared shape, relative
BLOCK_CLIP = 3.0  # an hour of history further than this many standard deviations is pulled in
POINT_CLIP = 5.0  # the same for one interval's residual in the dispersion
USUAL_DAYS = 0.05  # day-to-day relative variance of an hour, until the series shows its own
MIN_DISPERSION = 0.002  # busy traffic is never quieter than 4.5 % around its mean
WEEKDAYS = 7
MEDIAN_NOISE = 1.57  # variance of a median over that of a mean
FIRST_GUESS = 0.975  # before anything is known, the busiest 2.5 % of hours are pulled in


@dataclass(frozen=True)
class Profile:
    """`mean` (S, 2, 24) counts per interval; `doubt` (S, 2, 24) its relative variance."""

    mean: Floats
    doubt: Floats


def fit_profile(values: Floats, calendar: Calendar, pool: Integers) -> Profile:
    """Learn slot means from values (S, T), NaN where unknown; `pool` (S) numbers the groups."""
    starts, slot = calendar.blocks()
    known = np.isfinite(values)
    weight = np.add.reduceat(known, starts, axis=1, dtype=float)
    block = np.add.reduceat(np.where(known, values, 0.0), starts, axis=1) / np.maximum(weight, 1)
    block = np.where(weight > 0, block, np.nan)
    cap = _first_guess(block)[:, None]
    clipped = np.minimum(block, cap)
    for _ in range(4):
        mean = _shrunk(clipped, weight, slot, pool).mean.reshape(-1, SLOTS)
        between = _between_days(clipped, mean, weight, slot, fitted=0)
        clipped = np.empty_like(block)
        _pull_in(block, weight, mean, slot, between, clipped)
    return _shrunk(clipped, weight, slot, pool)


@compiled
def _pull_in(
    block: Floats, weight: Floats, mean: Floats, slot: Integers, between: Floats, result: Floats
) -> None:
    """Fills the last with blocks (S, B) that are BLOCK_CLIP standard deviations away at most."""
    for s in range(block.shape[0]):
        for t in range(block.shape[1]):
            due = mean[s, slot[t]]
            reach = BLOCK_CLIP * np.sqrt(due / max(weight[s, t], 1.0) + between[s] * due**2)
            result[s, t] = min(max(block[s, t], due - reach), due + reach)


def _first_guess(block: Floats) -> Floats:
    """The quantile FIRST_GUESS of each row's known values, 0 where nothing is known."""
    known = np.isfinite(block).sum(axis=1)
    ranked = np.sort(block, axis=1)  # what is unknown comes last
    rank = FIRST_GUESS * np.maximum(known - 1, 0)
    below = np.floor(rank).astype(np.int64)
    row = np.arange(len(block))
    low, high = ranked[row, below], ranked[row, np.minimum(below + 1, np.maximum(known - 1, 0))]
    cap: Floats = high - (high - low) * (1 - (rank - below))
    return np.where(known > 0, cap, 0.0)


def _between_days(
    block: Floats, mean: Floats, weight: Floats, slot: Integers, fitted: int
) -> Floats:
    """Relative variance (S) of hourly means around those of their slots (S, 48), beyond counting
    noise.

    `fitted` slot means were taken from the same blocks. One day of blocks at USUAL_DAYS steadies
    the estimate of a short history.
    """
    found = np.empty(len(block))
    _spread_of_days(block, mean, weight, slot, fitted, found)
    return np.maximum(found, USUAL_DAYS / 10)


@compiled
def _spread_of_days(
    block: Floats, mean: Floats, weight: Floats, slot: Integers, fitted: int, found: Floats
) -> None:
    for s in range(block.shape[0]):
        seen, excess, square = 0, 0.0, 0.0
        for t in range(block.shape[1]):
            if weight[s, t] > 0:
                due = mean[s, slot[t]]
                seen += 1
                square += due**2
                excess += (block[s, t] - due) ** 2 - due / weight[s, t]
        typical = max(square / max(seen, 1), 1e-12)
        freedom = max(seen - fitted, 0)
        found[s] = (excess + HOURS * USUAL_DAYS * typical) / ((freedom + HOURS) * typical)


def _shrunk(block: Floats, weight: Floats, slot: Integers, pool: Integers) -> Profile:
    counted = np.where(weight > 0, block, 0.0) * weight
    count = sums_by(weight, slot, SLOTS)
    days = sums_by((weight > 0).astype(float), slot, SLOTS)
    total = counted.sum(axis=1)
    # Half a count, so that a series never seen in this history keeps a positive rate.
    level = (total + 0.5) / np.maximum(weight.sum(axis=1), 1)
    own = sums_by(counted, slot, SLOTS) / np.maximum(count, 1)
    shape = _shared_shape(own / level[:, None], count, level, pool)
    prior = level[:, None] * shape.reshape(-1, SLOTS)[pool]
    between = _between_days(block, own, weight, slot, fitted=len(np.unique(slot)))
    noise = 1 / np.maximum(prior * count, 1e-9) + between[:, None] / np.maximum(days, 1e-9)
    trust = SHAPE_SPREAD**2 / (SHAPE_SPREAD**2 + noise)
    mean = trust * own + (1 - trust) * prior
    doubt = trust * noise + 1 / (total + 0.5)[:, None]
    grid = (-1, DAY_TYPES, HOURS)
    # A slot may be empty in all its days; the rate stays above a hundredth of the level.
    return Profile(np.maximum(mean, level[:, None] / 100).reshape(grid), doubt.reshape(grid))


def _shared_shape(shape: Floats, count: Floats, level: Floats, pool: Integers) -> Floats:
    """Mean shape (P, 2, 24) of the series of each group, smoothed over neighbouring hours."""
    voice = np.where(count > 0, np.sqrt(level)[:, None], 0.0)
    heard, said = _smoothed(_summed(voice, pool)), _smoothed(_summed(voice * shape, pool))
    any_day = said.sum(axis=1, keepdims=True) / np.maximum(heard.sum(axis=1, keepdims=True), 1e-12)
    any_day = np.where(heard.sum(axis=1, keepdims=True) > 0, any_day, 1.0)
    shared: Floats = np.where(heard > 0, said / np.maximum(heard, 1e-12), any_day)
    return np.maximum(shared, 0.01)


def _summed(rows: Floats, pool: Integers) -> Floats:
    """Sums (P, 2, 24) of the rows (S, 48) of each group; every group has one."""
    order = np.argsort(pool, kind="stable")
    starts = np.flatnonzero(np.diff(pool[order], prepend=-1))
    sums: Floats = np.add.reduceat(rows[order], starts, axis=0)
    return sums.reshape(-1, DAY_TYPES, HOURS)


def _smoothed(hours: Floats) -> Floats:
    smooth: Floats = 0.5 * hours + 0.25 * (np.roll(hours, 1, axis=2) + np.roll(hours, -1, axis=2))
    return smooth


def fit_weekdays(values: Floats, mean: Floats, calendar: Calendar) -> Floats:
    """Factors (S, 7) of the days of the week from Monday on, around the profile's `mean` (S, T).

    Medians of the days' ratios to their profile, shrunk by the part of their scatter that is noise.
    """
    starts = np.flatnonzero(np.diff(calendar.date, prepend=calendar.date[:1] - 1))
    weekday = calendar.weekday[starts]
    known = np.isfinite(values)
    most = np.where(known, np.minimum(values, 3 * mean), 0.0)
    day, due = (
        np.add.reduceat(part, starts, axis=1) for part in (most, np.where(known, mean, 0.0))
    )
    ratio = np.log((day + 2) / (due + 2))
    days = np.bincount(weekday, minlength=WEEKDAYS)
    if days.max() < 2:
        return np.ones((len(values), WEEKDAYS))
    level = np.zeros((len(values), WEEKDAYS))
    for number in np.flatnonzero(days):
        level[:, number] = medians(ratio[:, weekday == number])
    freedom = max(len(starts) - np.count_nonzero(days), 1)
    noise = ((ratio - level[:, weekday]) ** 2).sum(axis=1) / freedom
    due_to_noise = MEDIAN_NOISE * noise * (1 / days[days > 0]).mean()
    scatter = (level[:, days > 0] ** 2).mean(axis=1)
    trust = np.clip(1 - due_to_noise / np.maximum(scatter, 1e-12), 0, 1)
    factors: Floats = np.exp(level * trust[:, None])
    return factors


def fit_dispersion(values: Floats, mean: Floats) -> Floats:
    """Relative variance d (S) of values (S, T) around their means, shrunk to all series'."""
    own, precision = np.empty(len(values)), np.empty(len(values))
    _own_dispersion(np.ascontiguousarray(values), np.ascontiguousarray(mean), own, precision)
    pooled = float((own * precision).sum() / max(precision.sum(), 1e-12))
    trust = precision / (precision + 1 / (0.5 * pooled + 0.1) ** 2)
    result: Floats = np.maximum(trust * own + (1 - trust) * pooled, MIN_DISPERSION)
    return result


@compiled
def _own_dispersion(values: Floats, mean: Floats, own: Floats, precision: Floats) -> None:
    """Relative variance (S) of each series by itself, and how precisely it is known."""
    for s in range(values.shape[0]):
        scale, found = 0.0, 1.0
        for t in range(values.shape[1]):
            if np.isfinite(values[s, t]):
                scale += mean[s, t] ** 2
        for _ in range(4):
            excess = 0.0
            for t in range(values.shape[1]):
                if np.isfinite(values[s, t]):
                    due = mean[s, t]
                    most = POINT_CLIP**2 * (due + found * due**2)
                    excess += min((values[s, t] - due) ** 2, most) - due
            found = max(excess / max(scale, 1e-12), MIN_DISPERSION)
        own[s], precision[s] = found, 0.0
        for t in range(values.shape[1]):
            if np.isfinite(values[s, t]):
                precision[s] += mean[s, t] ** 2 / (2 * (1 + found * mean[s, t]) ** 2)


def tail_above(value: Floats, mean: Floats, dispersion: Floats) -> Floats:
    """Mid-p probability of a count beyond `value`: P(Y > y) + P(Y = y) / 2.

    Y is negative binomial with the given mean and variance mean + dispersion mean^2. Uses the
    regularised incomplete beta function, so values need not be whole (NIST DLMF 8.17.5).
    """
    size, share = 1 / dispersion, dispersion * mean / (1 + dispersion * mean)
    beyond = betainc(np.maximum(value, 0) + 1, size, share)
    at_least = np.where(value > 0, betainc(np.maximum(value, 1e-9), size, share), 1.0)
    result: Floats = 0.5 * (beyond + at_least)
    return result


def tail_below(value: Floats, mean: Floats, dispersion: Floats) -> Floats:
    """Mid-p probability of a count below `value`: P(Y < y) + P(Y = y) / 2; 0 for less than none."""
    size, share = 1 / dispersion, 1 / (1 + dispersion * mean)
    up_to = betainc(size, np.maximum(value, 0) + 1, share)
    under = np.where(value > 0, betainc(size, np.maximum(value, 1e-9), share), 0.0)
    result: Floats = np.where(value < 0, 0.0, 0.5 * (up_to + under))
    return result
