"""Sums by dimension value: what there was, what was expected, and what is left without it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bartizan.explain.leaves import Leaves
from bartizan.explain.noise import SURE, is_noise

MOST_PARTS = 12
NEAR = 0.1  # relative change of the rest that nobody minds, as in explain/explanation.py

MANY = 12  # leaves that tell how large noise is

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Part:
    """A dimension value. `share` is its percent of the change of all, None where all hardly
    changed; it is negative where it changed the other way. `rest` is what is left without it, as a
    ratio of what was expected of that, None where nothing was; `rest_normal` whether that is as
    expected."""

    value: str
    actual: float
    expected: float
    share: int | None
    rest: float | None
    rest_normal: bool

    @property
    def change(self) -> float:
        return self.actual - self.expected


@dataclass(frozen=True)
class Parts:
    """Of one dimension the values that changed most, `more` others left out. `longest` is the
    greatest change of one."""

    dimension: str
    parts: tuple[Part, ...]
    more: int

    @property
    def longest(self) -> float:
        return max((abs(one.change) for one in self.parts), default=0.0)


def by_dimension(dimensions: Sequence[str], leaves: Leaves) -> tuple[Parts, ...]:
    """Every dimension that has more than one value."""
    return tuple(
        _parts(name, leaves, at) for at, name in enumerate(dimensions) if len(leaves.names[at]) > 1
    )


def means(dimensions: Sequence[str], leaves: Leaves, intervals: Floats) -> tuple[Parts, ...]:
    """The same of a measure that does not add up: means over series and `intervals` (N)."""
    return tuple(
        _means(name, leaves, at, intervals)
        for at, name in enumerate(dimensions)
        if len(leaves.names[at]) > 1
    )


def is_normal(value: Floats, expected: Floats) -> bool:
    """Whether leaves together are as expected: near it, or no more off than chance.

    Of many leaves the scatter itself says what chance is; few are taken for Poisson counts.
    """
    change, level = abs(math.fsum(value) - math.fsum(expected)), abs(math.fsum(expected))
    if change <= NEAR * level:
        return True
    if len(value) < MANY:
        return change <= NEAR * level + SURE * math.sqrt(max(level, 1.0))
    return is_noise(value, expected)


def _parts(dimension: str, leaves: Leaves, at: int) -> Parts:
    names, codes = leaves.names[at], leaves.codes[:, at]
    actual = np.bincount(codes, leaves.value, len(names))
    expected = np.bincount(codes, leaves.expected, len(names))
    change = actual - expected
    order = sorted(range(len(names)), key=lambda code: (-abs(change[code]), names[code]))
    changed = not is_normal(leaves.value, leaves.expected)
    whole = float(change.sum())
    return Parts(
        dimension,
        tuple(
            Part(
                value=names[code],
                actual=float(actual[code]),
                expected=float(expected[code]),
                share=round(100 * float(change[code]) / whole) if changed and whole else None,
                rest=_ratio(leaves, codes != code),
                rest_normal=is_normal(leaves.value[codes != code], leaves.expected[codes != code]),
            )
            for code in order[:MOST_PARTS]
        ),
        max(len(names) - MOST_PARTS, 0),
    )


def _means(dimension: str, leaves: Leaves, at: int, intervals: Floats) -> Parts:
    names, codes = leaves.names[at], leaves.codes[:, at]
    count = np.bincount(codes, intervals, len(names))
    actual = np.bincount(codes, leaves.value, len(names)) / count
    expected = np.bincount(codes, leaves.expected, len(names)) / count
    order = sorted(range(len(names)), key=lambda code: (-abs(actual - expected)[code], names[code]))
    return Parts(
        dimension,
        tuple(
            Part(names[code], float(actual[code]), float(expected[code]), None, None, False)
            for code in order[:MOST_PARTS]
        ),
        max(len(names) - MOST_PARTS, 0),
    )


def _ratio(leaves: Leaves, rest: NDArray[np.bool_]) -> float | None:
    expected = float(leaves.expected[rest].sum())
    return float(leaves.value[rest].sum()) / expected if expected >= 1 else None
