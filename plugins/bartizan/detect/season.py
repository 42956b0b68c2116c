"""What time says about a series: the hour, the day of the week, or a period found in the data.

Means of hours on weekdays and at weekends, then of the days of the week, then medians of a found
period; each is taken only if it foretells values it has not seen better than going without (cross
validation), and is shrunk by how much of it is noise (James and Stein 1961, positive part).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from bartizan.detect.calendar import DAY_TYPES, HOURS, SLOTS, Calendar
from bartizan.detect.panel import Floats, Integers
from bartizan.detect.periods import find_period
from bartizan.detect.ranks import medians
from bartizan.detect.sums import sums_by

WEEKDAYS = 7
GAIN = 0.97  # a calendar must lower the error of prediction to this part
PERIOD_GAIN = 0.85  # a period that was searched for, to this one


@dataclass(frozen=True)
class Season:
    """Deviations from the level of S series, in the unit of their values.

    `profile` (S, 2, 24) by day type and hour, `weekday` (S, 7) from Monday on; `period` (S) in
    intervals, 0 for none, and its `wave` (S, P), P the longest period, phase 0 where the
    number of the interval since 1970 divides by the period.
    """

    SHAPES: ClassVar = {"profile": (DAY_TYPES, HOURS)}

    profile: Floats
    weekday: Floats
    period: Integers
    wave: Floats

    def at(self, calendar: Calendar) -> Floats:
        """The deviation (S, T) in every interval."""
        result = calendar.spread(self.profile) + self.weekday[:, calendar.weekday]
        for period, rows in _by_period(self.period):
            result[rows] += self.wave[rows][:, calendar.counted(period) % period]
        return result


def fit_season(values: Floats, calendar: Calendar) -> Season:
    """Learn from values (S, T), NaN where unknown."""
    detrended = values - _trend(values, calendar)
    bounded = _bounded(detrended, 5.0)
    profile, weekday = _fit_calendar(bounded, calendar)
    draft = Season(
        profile, weekday, np.zeros(len(values), dtype=np.int64), np.zeros((len(values), 0))
    )
    known = draft.at(calendar)
    return _with_period(draft, detrended, known, calendar)


def _trend(values: Floats, calendar: Calendar) -> Floats:
    """Centred mean (S, T) over a day, over everything when there are not two days of it."""
    known = np.isfinite(values)
    bounded = np.where(known, _bounded(values, 5.0), 0.0)
    half = calendar.day_length // 2
    steps = values.shape[1]
    if steps < 4 * half or half == 0:
        half = steps
    # A whole day at the ends too: a part of one would leave some of the daily season in the trend.
    window = min(2 * half + 1, steps)
    left = np.clip(np.arange(steps) - half, 0, steps - window)
    right = left + window
    total, count = (np.pad(np.cumsum(part, axis=1), ((0, 0), (1, 0))) for part in (bounded, known))
    seen = count[:, right] - count[:, left]
    mean: Floats = (total[:, right] - total[:, left]) / np.maximum(seen, 1)
    return mean


def _bounded(values: Floats, reach: float) -> Floats:
    """Values pulled in to so many robust standard deviations around the median of their row."""
    middle, spread = robust(values)
    return np.clip(values, middle - reach * spread, middle + reach * spread)


def robust(values: Floats) -> tuple[Floats, Floats]:
    """Median and 1.4826 MAD, each (S, 1); the standard deviation where the MAD is zero."""
    known = np.where(np.isfinite(values).any(axis=1, keepdims=True), values, 0.0)
    middle = medians(known)[:, None]
    spread = 1.4826 * medians(np.abs(known - middle))[:, None]
    flat = (spread == 0)[:, 0]
    if flat.any():
        spread[flat] = np.nanstd(known[flat], axis=1, keepdims=True)
    return middle, spread


def _fit_calendar(values: Floats, calendar: Calendar) -> tuple[Floats, Floats]:
    """Profile (S, 2, 24) and weekday (S, 7) of values around zero."""
    starts, slot = calendar.blocks()
    known = np.isfinite(values)
    weight = np.add.reduceat(known, starts, axis=1, dtype=float)
    block = np.add.reduceat(np.where(known, values, 0.0), starts, axis=1) / np.maximum(weight, 1)
    best = np.zeros((len(values), SLOTS))
    error = _error(block, weight)
    every = np.arange(SLOTS)
    for group in (every % HOURS, every):
        mean, tried = _group_means(block, weight, group[slot], group.max() + 1)
        better = tried < GAIN * error
        best[better] = mean[better][:, group]
        error = np.where(better, tried, error)
    rest = block - best[:, slot]
    mean, tried = _group_means(rest, weight, calendar.weekday[starts], WEEKDAYS)
    return best.reshape(-1, DAY_TYPES, HOURS), np.where((tried < GAIN * error)[:, None], mean, 0.0)


def _error(values: Floats, weight: Floats) -> Floats:
    """Mean absolute value (S)."""
    result: Floats = (np.abs(values) * weight).sum(axis=1) / np.maximum(weight.sum(axis=1), 1e-9)
    return result


def _group_means(
    block: Floats, weight: Floats, group: Integers, groups: int
) -> tuple[Floats, Floats]:
    """Shrunk means (S, groups), and the error (S) with each block left out of its mean."""
    count = sums_by((weight > 0).astype(float), group, groups)
    mean = sums_by(np.where(weight > 0, block, 0.0), group, groups) / np.maximum(count, 1)
    seen = count[:, group]
    left_out = (block - mean[:, group]) * np.where(seen > 1, seen / np.maximum(seen - 1, 1), 0.0)
    left_out = np.where(seen > 1, left_out, block)
    error = _error(left_out, weight)
    return mean * _trust(block - mean[:, group], weight > 0, mean, count), error


def _trust(rest: Floats, known: NDArray[np.bool_], mean: Floats, count: Floats) -> Floats:
    """The part (S, 1) of the means' scatter that is not noise."""
    freedom = np.maximum(known.sum(axis=1) - (count > 0).sum(axis=1), 1)
    noise = np.where(known, rest**2, 0.0).sum(axis=1) / freedom
    groups = np.maximum((count > 0).sum(axis=1), 1)
    scatter = (mean**2).sum(axis=1) / groups
    due = noise * (1 / np.maximum(count, 1) * (count > 0)).sum(axis=1) / groups
    result: Floats = np.clip(1 - due / np.maximum(scatter, 1e-300), 0.0, 1.0)[:, None]
    return result


def _with_period(season: Season, values: Floats, known: Floats, calendar: Calendar) -> Season:
    """The season with a found period in place of the calendar, for the series it foretells."""
    period = find_period(_bounded(values, 20.0))
    before = _error(np.nan_to_num(values - known), np.isfinite(values).astype(float))
    wave = np.zeros((len(values), int(period.max(initial=1))))  # one column at least, for the file
    for length, rows in _by_period(period):
        found, error = _wave(values[rows], calendar.counted(length), length)
        better = np.less(error, PERIOD_GAIN * before[rows])
        period[rows[np.flatnonzero(~better)]] = 0
        wave[rows[better], :length] = found[better]
    periodic = (period > 0)[:, None]
    return Season(
        np.where(periodic[:, :, None], 0.0, season.profile),
        np.where(periodic, 0.0, season.weekday),
        period,
        wave,
    )


def _wave(values: Floats, number: Integers, period: int) -> tuple[Floats, Floats]:
    """Medians (S, period) of each phase, and the error (S) of those of half of the cycles in the
    other half."""
    cycle = number // period - number[0] // period
    phase = number % period
    table = np.full((len(values), cycle[-1] + 1, period), np.nan)
    table[:, cycle, phase] = values
    halves = table[:, ::2], table[:, 1::2]
    errors = [
        np.nanmean(np.abs(one - _median(other)[:, None]), axis=(1, 2))
        for one, other in (halves, halves[::-1])
    ]
    wave = _median(table)
    cycles = np.maximum(np.isfinite(table).sum(axis=1), 1)
    rest = table - wave[:, None]
    noise = medians(np.abs(rest).reshape(len(rest), -1)) ** 2 * 1.4826**2
    scatter = (wave**2).mean(axis=1)
    due = noise * 1.57 / cycles.mean(axis=1)
    trust = np.clip(1 - due / np.maximum(scatter, 1e-300), 0.0, 1.0)
    return wave * trust[:, None], np.mean(errors, axis=0)


def _median(table: Floats) -> Floats:
    """Median over the cycles (axis 1), 0 where a phase was never seen."""
    seen = np.isfinite(table).sum(axis=1) > 0
    filled = np.where(seen[:, None], table, 0.0).swapaxes(1, 2)
    return medians(filled.reshape(-1, table.shape[1])).reshape(seen.shape)


def _by_period(period: Integers) -> list[tuple[int, Integers]]:
    """Each period and the rows that have it."""
    order = np.argsort(period, kind="stable")
    values, starts = np.unique(period[order], return_index=True)
    parts = np.split(order, starts[1:])
    return [(int(value), rows) for value, rows in zip(values, parts, strict=True) if value]
