"""The mix of categories: many small moves that no series shows, though the sum stays the same.

Categories are the values of the last dimension, of each value of the first one (of all together
where there is one dimension only). How far their shares are from those expected is a chi-square:
with n counts of a category, e expected, and m = e sum(n) / sum(e) due when shares are as expected,

    distance = sum 4 (sqrt(n + 3/8) - sqrt(m + 1/8))^2 / (1 + d m)

d is the relative variance of the category beyond chance; the root makes the spread of a count the
same whatever its mean (Anscombe 1948, The transformation of Poisson, binomial and negative-binomial
data). The distance is judged upwards as counts are, without a season: it has none. Where it is
unusual, the categories that make most of it are.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from bartizan.compiled import compiled
from bartizan.detect.calendar import SLOTS, Calendar
from bartizan.detect.categories import Categories, Watched
from bartizan.detect.counted import fit_counted
from bartizan.detect.counts import fit_dispersion
from bartizan.detect.judge import DIRECTIONS, Codes, Judgement, Part, judge_known, look_back
from bartizan.detect.panel import Flags, Floats, Integers
from bartizan.detect.severity import LEAST_ALARM

TESTS = 3  # upwards: the interval, and the exponential means over both spans
LEAST_MOVED, LEAST_SHARE = 5.0, 0.05  # that change category, absolute and of all
OF_ITS_CATEGORIES = 0.8
MOSTLY = 2.0  # times as much as was gained must be lost for those that lost to be told
GRAIN = 10.0  # parts of a distance, which are as good as counted: chance adds little to its spread


@dataclass(frozen=True)
class Mix:
    """How the categories of G groups vary: the `dispersion` (R) of each, and the distances, a
    `part` of G series."""

    categories: Categories
    dispersion: Floats
    part: Part


@dataclass(frozen=True)
class Raised:
    """N values that a mix makes unusual: which series (positions in the keys) and intervals; the
    severity, and positions in DIRECTIONS and REASONS, of the mix."""

    series: Integers
    interval: Integers
    severity: Floats
    direction: Codes
    reason: Codes


@dataclass(frozen=True)
class Seen:
    """Of categories (R, T): what was gained against what was due, and the part of the distance; of
    groups (G, T): the distance, NaN for none, and whether so much moved that it matters."""

    gained: Floats
    part: Floats
    distance: Floats
    matters: Flags


def fit_mix(watched: Watched, calendar: Calendar, allowed: float) -> Mix:
    """Learn from a history; `allowed` is the rarity of severity 70."""
    dispersion = fit_dispersion(watched.values, _due(watched))
    distance = GRAIN * see(watched, dispersion).distance * _unlearned(calendar)
    groups = np.arange(len(distance))
    model = fit_counted(distance, _flat(calendar), groups)
    part = look_back(model, groups, distance, _flat(calendar), allowed)
    return Mix(watched.categories, dispersion, part)


def judge_mix(mix: Mix, watched: Watched, calendar: Calendar, allowed: float) -> tuple[Raised, Mix]:
    """Judge what comes after what the mix has seen. Returns the mix as it is after it."""
    seen = see(watched, mix.dispersion)
    judged, _, part = judge_known(mix.part, GRAIN * seen.distance, _flat(calendar), allowed)
    return _raised(seen, judged, watched), replace(mix, part=part)


def see(watched: Watched, dispersion: Floats) -> Seen:
    """Go through what is watched, given the dispersion (R) of each category."""
    due, group = _due(watched), watched.categories.group
    gained = watched.values - due
    root = np.sqrt(np.maximum(watched.values, 0.0) + 3 / 8) - np.sqrt(due + 1 / 8)
    part = np.nan_to_num(4 * root**2 / (1 + dispersion[:, None] * due))
    known = _sums(np.isfinite(due).astype(float), group) > 0
    moved = _sums(np.abs(np.nan_to_num(gained)), group) / 2
    total = _sums(np.nan_to_num(due), group)
    matters = moved >= np.maximum(LEAST_MOVED, LEAST_SHARE * total)
    return Seen(gained, part, np.where(known, _sums(part, group), np.nan), matters)


def _due(watched: Watched) -> Floats:
    """What is due (R, T) when shares are as expected, NaN where nothing is known."""
    group = watched.categories.group
    known = np.isfinite(watched.values) & np.isfinite(watched.expected)
    counts = np.where(known, np.maximum(watched.values, 0.0), 0.0)
    expected = np.where(known, np.maximum(watched.expected, 0.0), 0.0)
    ratio = _sums(counts, group) / np.maximum(_sums(expected, group), 1e-9)
    return np.where(known, expected * ratio[group], np.nan)


def _raised(seen: Seen, judged: Judgement, watched: Watched) -> Raised:
    above = judged.direction == DIRECTIONS.index("above")
    unusual = above & seen.matters & (judged.severity >= LEAST_ALARM)
    told = [
        (row, side, group, interval)
        for group, interval in np.argwhere(unusual)
        for row, side in _told(seen, watched, group, interval)
    ]
    row, side, group, interval = np.array(told, dtype=np.int64).reshape(-1, 4).T
    severity, reason = judged.severity[group, interval], judged.reason[group, interval]
    series = watched.categories.rows[row]
    return Raised(series, interval, severity, side.astype(np.int8), reason)


def _told(seen: Seen, watched: Watched, group: int, interval: int) -> list[tuple[int, int]]:
    """The categories that make most of a distance, those that gained or those that lost, by their
    place; and their direction."""
    rows = np.flatnonzero(watched.categories.group == group)
    off = np.nan_to_num(watched.values[rows, interval] - watched.expected[rows, interval])
    gained = np.nan_to_num(seen.gained[rows, interval])
    below = -off[off < 0].sum() > MOSTLY * off[off > 0].sum()
    rows = rows[(off < 0) & (gained < 0) if below else (off > 0) & (gained > 0)]
    parts = seen.part[rows, interval]
    order = np.argsort(-parts, kind="stable")
    before = np.cumsum(parts[order]) - parts[order]
    most = rows[order[before < OF_ITS_CATEGORIES * parts.sum()]]
    side = DIRECTIONS.index("below" if below else "above")
    return [(int(row), side) for row in (most[:1] if watched.categories.alone else most)]


def _unlearned(calendar: Calendar) -> Floats:
    """How much more (T) a distance is when its interval was not learned from: the mean of its slot
    holds a part of every interval of a history, by which the history is too near to it."""
    slot = calendar.day_type * (SLOTS // 2) + calendar.hour
    part = 1 / np.maximum(np.bincount(slot)[slot], 2)
    more: Floats = (1 + part) / (1 - part)
    return more


def _flat(calendar: Calendar) -> Calendar:
    """The same intervals without hours and weekdays."""
    none = np.zeros_like(calendar.hour)
    return replace(
        calendar,
        day_type=none,
        hour=none,
        left=none,
        right=none,
        share=np.zeros(len(none)),
        weekday=none,
    )


def _sums(values: Floats, group: Integers) -> Floats:
    """Sums (G, T) of values (R, T), in the order of the rows: the same however time is cut."""
    sums = np.zeros((int(group.max(initial=-1)) + 1, values.shape[1]))
    _add(np.ascontiguousarray(values), group, sums)
    return sums


@compiled
def _add(values: Floats, group: Integers, sums: Floats) -> None:
    for row in range(values.shape[0]):
        for t in range(values.shape[1]):
            sums[group[row], t] += values[row, t]
