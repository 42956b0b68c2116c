"""The peers of a series without a model of its own: how they first appear, and how large they get.

Peers have the value of the first dimension in common: they are clients, paths or fingerprints of
one web ACL. Groups differ by how large their sizes typically are; what a size is relative to that
is alike in all of them, so a group that has shown little is judged by what all have shown. That is
the index-flood method of regional frequency analysis (Dalrymple 1960; Hosking and Wallis 1997). The
typical size is a median, shrunk to that of the groups.

A peak is a multiple of what the series does itself, its mean and a typical first day together, for
peers may be unlike: GET and DELETE are methods of one web ACL. A series has one, on the day when it
was largest: a client that is always there is one peer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bartizan.detect.arrays import take
from bartizan.detect.census import KINDS, Census, Sizes, joined
from bartizan.detect.heavy_tail import HeavyTail, fit_tail, spared_in
from bartizan.detect.newcomers import Newcomers, fit_newcomers
from bartizan.detect.panel import Floats, Integers

ALLOWED = 1.0  # series of severity 70 in a week and detector, of all its populations
VIEWS = 2  # newcomers and peaks
PRIOR_SIZE, PRIOR_MULTIPLE = 3.0, 3.0  # what is typical, until a group shows its own
PRIOR_SEEN = 7.0  # sizes after which a group is believed as much as all
LEAST_MULTIPLE = 3.0  # that a series must be of what is due
MIN_BEYOND = 10.0  # counts by which a series must exceed what is due
SPARED_PART = 0.2  # of few peaks
FAR = 3.0  # standard deviations of the normal range
UNSEEN_DAYS = 2  # who comes on the first day of a history, or on its last, is not counted
RAREST = 1e-300  # a week


@dataclass(frozen=True)
class Typical:
    """Of each group (G + 1) the size of a series on its `first` day, that of the `largest` of those
    of a day, and the highest `peak` of a day, which is a multiple. The last is for a group that was
    never seen."""

    first: Floats
    largest: Floats
    peak: Floats


@dataclass(frozen=True)
class Kind:
    """The population by one kind of size, relative to what is typical."""

    newcomers: Newcomers
    peaks: HeavyTail | None
    typical: Typical

    def comes(self, sizes: Floats, own: Floats, group: Integers) -> Floats:
        """How many such sizes (N), or larger ones, come in a week: by how others first appeared
        where the `own` mean is 0, else by the peaks of others; infinitely many of usual ones."""
        typical = take(self.typical, group)
        as_new = self.newcomers.comes(sizes, typical.first, typical.largest)
        if self.peaks is None:
            return np.where(own > 0, np.inf, as_new)
        multiple = sizes / (own + typical.first)
        as_peer = self.peaks.comes(multiple / typical.peak)
        as_peer = np.where(multiple >= LEAST_MULTIPLE, as_peer, np.inf)
        return np.where(own > 0, as_peer, as_new)

    def due(self, own: Floats, group: Integers) -> Floats:
        """The mean (S) of series, or that of newcomers where it is larger."""
        return np.maximum(own, self.typical.first[group] * self.newcomers.mean)


@dataclass(frozen=True)
class Population:
    """`allowed` of severity 70 come in a week, by each kind of size and each view."""

    allowed: float
    kinds: tuple[Kind, ...]


def fit_population(
    censuses: Sequence[Census], groups: int, weeks: float, populations: int
) -> Population:
    """From the censuses of all shards, of so many groups and weeks. `populations` share what is
    allowed."""
    census = joined(censuses)
    kinds = tuple(_fit_kind(census, kind, groups, weeks) for kind in range(KINDS))
    return Population(ALLOWED / (populations * KINDS * VIEWS), kinds)


def _fit_kind(census: Census, kind: int, groups: int, weeks: float) -> Kind:
    prior = PRIOR_SIZE * (kind + 1)
    came, largest = census.first[kind], census.first[kind].largest()
    first, of_day = (_typical(one, census.days, groups, prior) for one in (came, largest))
    peaks = _multiples(census, kind, first).largest()
    peak = _typical(peaks, census.days, groups, PRIOR_MULTIPLE)
    each, most, highest = (
        one.size / typical[one.place // census.days]
        for one, typical in ((came, first), (largest, of_day), (peaks, peak))
    )
    seen = weeks * max(1 - UNSEEN_DAYS / census.days, 0.5)
    spared = min(spared_in(weeks), int(SPARED_PART * len(highest)))
    return Kind(
        fit_newcomers(each, most, seen),
        fit_tail(highest, spared, weeks),
        Typical(first, of_day, peak),
    )


def _multiples(census: Census, kind: int, first: Floats) -> Sizes:
    """The peaks as multiples of what is due."""
    peaks, span = census.peaks[kind], census.length if kind else 1
    due = census.means * span + first[peaks.place // census.days]
    return Sizes(peaks.size / due, peaks.place)


def _typical(sizes: Sizes, days: int, groups: int, prior: float) -> Floats:
    """The typical size (G + 1) of each group."""
    group = sizes.place // days
    order = np.lexsort((sizes.size, group))
    counts = np.bincount(group, minlength=groups)
    start = np.cumsum(counts) - counts
    some = np.flatnonzero(counts)
    logs = np.log(np.maximum(sizes.size[order], 1.0))
    low, high = (start[some] + (counts[some] - odd) // 2 for odd in (1, 0))
    own = np.zeros(groups)
    own[some] = (logs[low] + logs[high]) / 2
    trust = counts / (counts + PRIOR_SEEN)
    shared = (trust @ own + np.log(prior)) / (trust.sum() + 1)
    typical: Floats = np.exp(np.append(trust * own + (1 - trust) * shared, shared))
    return typical


def population_rarity(
    population: Population,
    values: Floats,
    level: Floats,
    group: Integers,
    length: int,
    allowed: float,
) -> tuple[Floats, Floats]:
    """How rare such sizes are, and the upper end of the normal ones, both (S, T).

    `values` (S, T) are counts, `level` (S) a series' mean so far, 0 when it was never seen, `group`
    (S) its number, -1 for one never seen. Taken by the interval, and by the last `length` of them.
    `allowed` is the rarity of severity 70.
    """
    value = np.nan_to_num(values)
    sizes = (value, level), (_sum(value, length), level * length)
    rare = np.zeros(value.shape)
    for one, (size, own) in zip(population.kinds, sizes, strict=True):
        beyond = size - one.due(own, group)[:, None] >= MIN_BEYOND
        series, column = np.nonzero(beyond & (value > level[:, None]))
        comes = one.comes(size[series, column], own[series], group[series])
        found = allowed - np.log10(np.maximum(comes, RAREST) / population.allowed)
        rare[series, column] = np.maximum(rare[series, column], found)
    return rare, np.broadcast_to(_upper(population.kinds[0], level, group)[:, None], value.shape)


def _upper(one: Kind, level: Floats, group: Integers) -> Floats:
    """Of a series (S) in an interval, for the eye."""
    due = one.due(level, group)
    spread = np.sqrt(one.newcomers.dispersion + 1 / np.maximum(due, 1))
    upper: Floats = np.ceil(due * (1 + FAR * spread))
    return upper


def _sum(values: Floats, length: int) -> Floats:
    """Sum (S, T) of each column and up to `length - 1` before it."""
    padded = np.pad(values, ((0, 0), (length - 1, 0)))
    total = padded[:, length - 1 :].copy()
    for back in range(1, length):
        total += padded[:, length - 1 - back : padded.shape[1] - back]
    return total
