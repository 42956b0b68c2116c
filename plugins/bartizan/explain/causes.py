"""Which combinations of dimension values changed: a scan over cuboids.

Leaves are series, with what was seen and what was expected of them. A root cause is an element of
a cuboid all of whose leaves were multiplied by about one ratio (the generalised ripple effect of
Li et al., Squeeze, 2019), while the others are as expected. Every element of up to three
dimensions gets Kulldorff's (1997) log-likelihood ratio of that, less what chance reaches among as
many elements. The best is a cause, its leaves are taken away, and the search goes on.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import log

import numpy as np
from numpy.typing import NDArray

from bartizan.explain.cuboids import Codes, Numbering, cuboids
from bartizan.explain.noise import Floats, expected_level, is_noise, relative_variance

ROUNDS = 6  # of search: so many causes at most
MARGIN = 8.0  # log-likelihood by which a cause beats chance
BOUND = 4.0  # standard deviations that one leaf may say; the likes of it must agree
LONE_BOUND = 12.0  # the same when nothing else explains a change that is there
COST = 3.0  # log-likelihood that naming one more leaf must be worth
TOGETHER = 1 / 3  # of what its leaves explain one by one: less, and they are no common cause
LEAST_RATIO = 0.15  # relative change of a cause; less is a forecast that is a little off
LEAST = 0.05  # of the largest cause's change: less is no cause of what people see
_CANDIDATES = 60  # of each cuboid that are looked at closely


@dataclass(frozen=True)
class Element:
    """`values` are (dimension, code) by dimension; `leaves` those of it that no earlier one has."""

    values: tuple[tuple[int, int], ...]
    leaves: NDArray[np.int64]
    expected: float
    change: float


@dataclass(frozen=True)
class Evidence:
    """Of leaves or elements: `weight` is the expected count of a Poisson variable that would be as
    sure of its ratio as they are, `excess` how far it would lie above that."""

    weight: Floats
    excess: Floats

    @property
    def gain(self) -> Floats:
        """Log-likelihood ratio of being scaled by the ratio that fits best, against not at all."""
        seen = np.maximum(self.weight + self.excess, 0)
        ratio = np.where(seen > 0, seen, 1) / self.weight
        return np.asarray(seen * np.log(ratio) - (seen - self.weight))

    def sums(self, ids: Codes, length: int) -> Evidence:
        weight, excess = (np.bincount(ids, each, length) for each in (self.weight, self.excess))
        return Evidence(np.asarray(weight, dtype=float), np.asarray(excess, dtype=float))

    def at(self, chosen: Codes | NDArray[np.bool_]) -> Evidence:
        return Evidence(self.weight[chosen], self.excess[chosen])


def root_causes(
    codes: Codes, value: Floats, expected: Floats, sign: int = 0, certain: bool = False
) -> list[Element]:
    """The elements that explain the change, in the order found; none when it is like noise.

    `codes` (N, dimensions) numbers the values of each leaf from 0; every leaf is there once, with
    finite `value` and `expected` (N) that add up. `sign` 1 returns rises only, -1 falls; both are
    looked for, so that one does not hide the other. `certain` says that something did change, be
    it a lone leaf that the sum does not show. The order of the leaves does not matter.
    """
    order = np.lexsort(codes.T[::-1])
    search = _Search.of(codes[order], value[order], expected[order])
    found: list[Element] = []
    left = np.arange(len(order))
    for _ in range(ROUNDS):
        if len(left) < 2:
            break
        best = search.best(left, BOUND)
        if best is None and ((certain and not _wanted(found, sign)) or not search.is_noise(left)):
            best = search.best(left, LONE_BOUND)
        if best is None:
            break
        if abs(best.change) < LEAST_RATIO * abs(best.expected):
            search = search.levelled(best)
            continue
        found.append(best)
        left = np.setdiff1d(left, best.leaves, assume_unique=True)
    return [replace(one, leaves=np.sort(order[one.leaves])) for one in _wanted(found, sign)]


def _wanted(found: list[Element], sign: int) -> list[Element]:
    """Those in the direction asked for, without what is small beside the largest."""
    same = [one for one in found if one.change * sign >= 0]
    largest = max((abs(one.change) for one in same), default=0.0)
    return [one for one in same if abs(one.change) >= LEAST * largest]


@dataclass(frozen=True)
class _Candidate:
    bound: float  # of its score
    penalty: float
    numbering: Numbering
    element: int


@dataclass(frozen=True)
class _Search:
    """Leaves in a fixed order; `columns` number the values of each dimension by remarkableness."""

    columns: tuple[Codes, ...]
    names: tuple[Codes, ...]  # per dimension, what the numbers were in `codes`
    value: Floats
    expected: Floats

    @classmethod
    def of(cls, codes: Codes, value: Floats, expected: Floats) -> _Search:
        gain = _evidence(value, expected, BOUND).gain
        columns, names = [], []
        for column in codes.T:
            order = np.argsort(-np.bincount(column, gain), kind="stable")
            rank = np.empty_like(order)
            rank[order] = np.arange(len(order))
            columns.append(rank[column])
            names.append(order)
        return cls(tuple(columns), tuple(names), value, expected)

    def levelled(self, off: Element) -> _Search:
        """The same where what was expected of an element is as much as was seen."""
        expected = self.expected.copy()
        expected[off.leaves] *= 1 + off.change / off.expected
        return replace(self, expected=expected)

    def is_noise(self, leaves: Codes) -> bool:
        return is_noise(self.value[leaves], self.expected[leaves])

    def best(self, leaves: Codes, bound: float) -> Element | None:
        """The element of `leaves` that explains most, when that is more than chance would."""
        columns = [column[leaves] for column in self.columns]
        evidence = _evidence(self.value[leaves], self.expected[leaves], bound)
        chosen, score = None, MARGIN
        for candidate in self._candidates(columns, evidence):
            if candidate.bound <= score:
                break
            numbering = candidate.numbering
            inside = np.flatnonzero(numbering.of_leaves(columns) == candidate.element)
            others = [c[inside] for at, c in enumerate(columns) if at not in numbering.cuboid]
            own = _agreed(evidence.at(inside), others) - candidate.penalty
            if own > score:
                chosen, score = (candidate, inside), own
        return self._element(chosen[0], leaves[chosen[1]]) if chosen else None

    def _candidates(self, columns: list[Codes], evidence: Evidence) -> list[_Candidate]:
        sizes = [len(names) for names in self.names]
        every = cuboids(sizes)
        found: list[_Candidate] = []
        for cuboid in every:
            numbering = Numbering.of(cuboid, sizes)
            sums = evidence.sums(numbering.of_leaves(columns), numbering.elements + 1)
            there = np.flatnonzero(sums.weight[: numbering.elements] > 0)
            penalty = log(len(every)) + log(max(len(there), 1))
            kept = sums.at(there)
            gain = kept.gain - penalty
            good = np.flatnonzero(gain > MARGIN)
            found += [
                _Candidate(float(gain[place]), penalty, numbering, int(there[place]))
                for place in good[np.argsort(-gain[good], kind="stable")][:_CANDIDATES]
            ]
        return sorted(found, key=lambda one: -one.bound)

    def _element(self, candidate: _Candidate, leaves: Codes) -> Element:
        values = candidate.numbering.values(candidate.element)
        return Element(
            tuple((dimension, int(self.names[dimension][rank])) for dimension, rank in values),
            leaves,
            float(self.expected[leaves].sum()),
            float((self.value[leaves] - self.expected[leaves]).sum()),
        )


def _evidence(value: Floats, expected: Floats, bound: float) -> Evidence:
    """What each leaf says, none more than `bound` standard deviations."""
    weight = 1 / relative_variance(value, expected)
    excess = weight * (value - expected) / expected_level(value, expected)
    said = np.sqrt(2 * np.maximum(Evidence(weight, excess).gain, 0))
    return Evidence(weight, excess * np.minimum(1, bound / np.maximum(said, bound)))


def _agreed(evidence: Evidence, others: list[Codes]) -> float:
    """How much the parts of an element support that all of it was scaled by one ratio.

    Parts are its leaves, and its values of each dimension that it leaves open. A part cannot
    support it by more than chance adds to its share, so that few changed parts do not speak for
    the rest; the least of these supports counts. It is 0 where the leaves, each a cause by itself,
    would explain far more: a few changed much, and most not at all.
    """
    ratio = 1 + evidence.excess.sum() / evidence.weight.sum()
    parts = [evidence.sums(column, int(column.max()) + 1) for column in others]
    least = min(_support(part, max(float(ratio), 1e-9)) for part in (evidence, *parts))
    apart = np.maximum(evidence.gain - COST, 0)[evidence.excess * (ratio - 1) > 0].sum()
    return least if len(evidence.weight) == 1 or least > TOGETHER * apart else 0.0


def _support(parts: Evidence, ratio: float) -> float:
    fair = parts.weight * (ratio * log(ratio) - ratio + 1)
    own = (parts.weight + parts.excess) * log(ratio) - (ratio - 1) * parts.weight
    return float(np.minimum(own, fair + 3 * np.sqrt(2 * fair)).sum())
