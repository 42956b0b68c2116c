"""How large the series of a shard came: on their first day, and at their largest.

A size is a count of an interval, or the sum of a few in a row. So there are two of each.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from bartizan.compiled import compiled
from bartizan.detect.panel import Floats, Integers

KINDS = 2  # a count, a sum


@dataclass(frozen=True)
class Sizes:
    """Positive sizes (N), each of a `place` (N)."""

    size: Floats
    place: Integers

    @classmethod
    def of(cls, size: Floats, place: Integers) -> Sizes:
        some = size > 0
        return cls(size[some], place[some])

    def largest(self) -> Sizes:
        """Of each place, in the order of the places."""
        order = np.lexsort((self.size, self.place))
        place = self.place[order]
        last = np.flatnonzero(np.diff(place, append=-1))
        return Sizes(self.size[order][last], place[last])


@dataclass(frozen=True)
class Census:
    """`first` of series that appeared, on their first day, and `peaks` of all series (N), whose
    `means` (N) are of an interval; of counts, and of sums of `length`. A place is a group and day
    (group x `days` + day)."""

    days: int
    length: int
    first: tuple[Sizes, ...]
    peaks: tuple[Sizes, ...]
    means: Floats


def take_census(
    values: Floats, first: Integers, level: Floats, group: Integers, day: int, length: int
) -> Census:
    """Of counts (S, T) of series whose first rows are at `first` (S) and means `level` (S), by
    numbers of their groups (S); a day has `day` intervals, a sum `length`.

    Series that are there on the first day are not known to have appeared. A series speaks for the
    day of its peak only.
    """
    series, columns = values.shape
    life = max(day, length)
    days = -(-columns // day)
    peak, when = _peaks(values, first, np.full(series, columns), length)
    came = np.flatnonzero((first >= day) & (first + life <= columns))
    early, _ = _peaks(values[came], first[came], first[came] + life, length)
    place = group[came] * days + first[came] // day
    return Census(
        days,
        length,
        tuple(Sizes.of(early[kind], place) for kind in range(KINDS)),
        tuple(Sizes.of(peak[kind], group * days + when[kind] // day) for kind in range(KINDS)),
        level[peak[0] > 0],
    )


def joined(censuses: Sequence[Census]) -> Census:
    """That of all series of those of some."""
    one = censuses[0]
    first, peaks = (
        tuple(_joined(getattr(part, name)[kind] for part in censuses) for kind in range(KINDS))
        for name in ("first", "peaks")
    )
    means = np.concatenate([part.means for part in censuses])
    return Census(one.days, one.length, first, peaks, means)


def _joined(parts: Iterable[Sizes]) -> Sizes:
    some = list(parts)
    return Sizes(
        np.concatenate([one.size for one in some]), np.concatenate([one.place for one in some])
    )


def _peaks(values: Floats, first: Integers, end: Integers, length: int) -> tuple[Floats, Integers]:
    """The largest count and sum of each series (2, S) between two columns (S), and where it is."""
    peak = np.zeros((KINDS, len(values)))
    when = np.zeros((KINDS, len(values)), dtype=np.int64)
    _find_peaks(np.ascontiguousarray(values), first, end, length, peak, when)
    return peak, when


@compiled
def _find_peaks(
    values: Floats, first: Integers, end: Integers, length: int, peak: Floats, when: Integers
) -> None:
    for s in range(values.shape[0]):
        total = 0.0
        for t in range(first[s], end[s]):
            value = values[s, t]
            if value > 0:  # not NaN
                total += value
            if t - first[s] >= length and values[s, t - length] > 0:
                total -= values[s, t - length]
            if value > peak[0, s]:
                peak[0, s], when[0, s] = value, t
            if total > peak[1, s]:
                peak[1, s], when[1, s] = total, t
