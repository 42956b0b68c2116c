"""Counts: a seasonal negative binomial whose level may wander."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from scipy.special import ndtri

from bartizan.detect.calendar import DAY_TYPES, HOURS, Calendar
from bartizan.detect.counts import (
    fit_dispersion,
    fit_profile,
    fit_weekdays,
    tail_above,
    tail_below,
)
from bartizan.detect.level import Level, advance, choose_discount, no_level
from bartizan.detect.outlook import Outlook, patience, smooth, spans
from bartizan.detect.panel import Flags, Floats, Integers
from bartizan.detect.severity import rarity

SLOW = 0.995  # discount of the level that sustained change is measured against
PULL = 4.0  # no interval counts further in a smoothed mean, unless it is too small to matter
MIN_CHANGE, MIN_SHARE = 5.0, 0.25  # no smaller change matters, absolute and relative
MIN_SMOOTH_CHANGE = 15.0  # a mean times its span; counts just seen have twice their weight
PART = 0.6  # a change lasts when the interval, and the shorter mean, have this part of the mean's
WORTH_A_TAIL = 1.0  # standard deviations below which a tail need not be computed


@dataclass(frozen=True)
class CountMemory:
    """Of S series: the `quick` and the `slow` level; smoothed `values` and `means` (S, 2)."""

    quick: Level
    slow: Level
    values: Floats
    means: Floats


@dataclass(frozen=True)
class _Seen:
    """Arrays (S, T): the counts foretold, the relative variance of that, and what of it is the
    season's; the counts foretold by the slow level; smoothed values and means of each span."""

    mean: Floats
    doubt: Floats
    season_doubt: Floats
    slow_mean: Floats
    values: list[Floats]
    means: list[Floats]


@dataclass(frozen=True)
class Counted:
    """Of S series: `profile` counts an interval and its relative variance `doubt` (S, 2, 24),
    `weekday` factors (S, 7), the level's `discount`, `dispersion` (S), and that of the two
    smoothed means (S, 2).
    """

    SHARPEN: ClassVar = False
    TESTS: ClassVar = 6
    SHAPES: ClassVar = {"profile": (DAY_TYPES, HOURS), "doubt": (DAY_TYPES, HOURS)}

    profile: Floats
    doubt: Floats
    weekday: Floats
    discount: Floats
    dispersion: Floats
    smooth_dispersion: Floats

    def begin(self) -> CountMemory:
        series = len(self.discount)
        nothing = np.zeros((series, 2))
        return CountMemory(no_level(series), no_level(series), nothing, nothing)

    def follow(
        self, memory: CountMemory, values: Floats, calendar: Calendar
    ) -> tuple[Outlook, CountMemory]:
        seen, memory = _see(self, memory, values, calendar)
        dispersion = self.dispersion[:, None] + seen.doubt
        both = (True, False)
        tests = _rare(values, seen.mean, dispersion)
        matters = [_matters(values, seen.mean, MIN_CHANGE, up) for up in both]
        recent = [values - seen.slow_mean]
        for number, span in enumerate(spans(calendar.frequency)):
            value, mean = seen.values[number], seen.means[number]
            total, due = value * span, np.maximum(mean * span, 1e-9)
            tests += _rare(total, due, self.smooth_dispersion[:, [number]] + seen.season_doubt)
            for up in both:
                share = PART * (value - mean)
                lasts = [part >= share if up else part <= share for part in recent]
                matters.append(np.all(lasts, axis=0) & _matters(total, due, MIN_SMOOTH_CHANGE, up))
            recent.append(value - mean)
        spread = np.sqrt(seen.mean + dispersion * seen.mean**2)
        rare = np.stack(tests)
        rare[:, np.isnan(values)] = np.nan
        return Outlook(seen.mean, spread, rare, np.stack(matters)), memory

    def expected(self, outlook: Outlook) -> Floats:
        return outlook.centre

    def band(self, outlook: Outlook, below: Floats, above: Floats) -> tuple[Floats, Floats]:
        """By the cube-root approximation of the gamma distribution with the same mean and variance
        (Wilson and Hilferty 1931), rounded outwards to whole counts."""
        mean = outlook.centre
        shape = outlook.spread / (3 * mean)
        lower = mean * np.maximum(1 - shape**2 + ndtri(below) * shape, 0) ** 3
        upper = mean * np.maximum(1 - shape**2 - ndtri(above) * shape, 0) ** 3
        return np.floor(lower), np.ceil(np.maximum(upper, mean))


def fit_counted(values: Floats, calendar: Calendar, pool: Integers) -> Counted:
    """Learn from counts (S, T), NaN where unknown; `pool` (S) numbers the groups of series that
    share a daily shape."""
    profile = fit_profile(values, calendar, pool)
    weekday = fit_weekdays(values, calendar.spread(profile.mean), calendar)
    mean = calendar.spread(profile.mean) * weekday[:, calendar.weekday]
    draft = fit_dispersion(values, mean)
    discount = choose_discount(values, mean, draft, patience(calendar.day_length))
    model = Counted(profile.mean, profile.doubt, weekday, discount, draft, np.stack([draft] * 2, 1))
    seen, _ = _see(model, model.begin(), values, calendar)
    smoothed = [
        fit_dispersion(value * span, mean * span)
        for value, mean, span in zip(
            seen.values, seen.means, spans(calendar.frequency), strict=True
        )
    ]
    return replace(
        model,
        dispersion=fit_dispersion(values, seen.mean),
        smooth_dispersion=np.stack(smoothed, axis=1),
    )


def _see(
    model: Counted, memory: CountMemory, counts: Floats, calendar: Calendar
) -> tuple[_Seen, CountMemory]:
    """What is foretold in every interval of counts (S, T)."""
    season = calendar.spread(model.profile) * model.weekday[:, calendar.weekday]
    doubt = _doubt(model, calendar)
    known = (counts, season, model.dispersion, patience(calendar.day_length))
    quick, quick_end = advance(model.discount, memory.quick, *known)
    slow, slow_end = advance(np.full_like(model.discount, SLOW), memory.slow, *known)
    slow_mean = slow.level * season
    spread = np.sqrt(slow_mean + (model.dispersion[:, None] + doubt) * slow_mean**2)
    reach = np.maximum(PULL * spread, MIN_CHANGE)
    pulled = np.minimum(np.maximum(counts, slow_mean - reach), slow_mean + reach)
    due = np.where(np.isfinite(counts), slow_mean, np.nan)
    numbered = list(enumerate(spans(calendar.frequency)))
    values = [smooth(pulled, span, memory.values[:, number]) for number, span in numbered]
    means = [smooth(due, span, memory.means[:, number]) for number, span in numbered]
    seen = _Seen(
        quick.level * season,
        doubt + quick.doubt,
        doubt,
        slow_mean,
        [series for series, _ in values],
        [series for series, _ in means],
    )
    ends = (np.stack([last for _, last in part], axis=1) for part in (values, means))
    return seen, CountMemory(quick_end, slow_end, *ends)


def _doubt(model: Counted, calendar: Calendar) -> Floats:
    """Relative variance (S, T) of what the season foretells: of what was learned, and where an hour
    is unlike the next, of when that begins."""
    doubt = calendar.spread(model.doubt)
    if not calendar.share.any():  # whole hours
        return doubt
    result: Floats = doubt + calendar.edge(model.profile) / calendar.spread(model.profile) ** 2
    return result


def _rare(value: Floats, mean: Floats, dispersion: Floats) -> list[Floats]:
    """Rarity (S, T) of counts above and below their mean, 0 near it and on the other side."""
    distance = (value - mean) / np.sqrt(mean + dispersion * mean**2)
    spread = np.broadcast_to(dispersion, value.shape)
    found = []
    for tail, away in ((tail_above, distance), (tail_below, -distance)):
        far = away > WORTH_A_TAIL  # never where unknown
        result = np.zeros(value.shape)
        result[far] = rarity(tail(value[far], mean[far], spread[far]))
        found.append(result)
    return found


def _matters(value: Floats, mean: Floats, least: float, up: bool) -> Flags:
    change = value - mean if up else mean - value
    result: Flags = change >= np.maximum(least, MIN_SHARE * mean)
    return result
