"""How far leaves that nothing happened to lie from what was expected of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LEAST_NOISE = 0.01  # relative: no forecast is better
LEAST_COUNT = 0.1  # expected of a series never seen before, in events
LEAST_SHARE = 0.01  # the same of other sums, in mean leaves
SURE = 3.0  # standard deviations that a sum of leaves may differ by chance
_THIRD = 2.3217  # standard deviations of a normal distribution in a third of its absolute ones


def relative_variance(value: Floats, expected: Floats) -> Floats:
    """Variance of value / expected of each leaf, were nothing the matter.

    Whole numbers are counts, at least Poisson. Beyond that there is a part of one size, seen in
    the smaller half of the leaves, and one in proportion, seen in the larger half. Both are from
    the least third of the deviations, so that causes may hold half of the leaves and more.
    """
    level = expected_level(value, expected)
    deviation = np.abs(value - expected)
    poisson = 1 / level if are_counts(value) else np.zeros(len(level))
    middle = np.median(level)
    small, large = level <= middle, level >= middle
    fixed = _variance(deviation[small]) - np.median(poisson[small] * level[small] ** 2)
    variance = poisson + max(fixed, 0.0) / level**2
    common = _variance(deviation[large] / level[large]) - np.median(variance[large])
    return np.asarray(variance + max(common, LEAST_NOISE**2))


def _variance(deviation: Floats) -> float:
    return float((_THIRD * np.quantile(deviation, 1 / 3)) ** 2)


def expected_level(value: Floats, expected: Floats) -> Floats:
    """What was expected of each leaf, never 0: of something new it is little."""
    least = LEAST_COUNT if are_counts(value) else LEAST_SHARE * (np.abs(expected).mean() or 1.0)
    return np.maximum(np.abs(expected), least)


def are_counts(value: Floats) -> bool:
    return bool((value >= 0).all() and (value == np.floor(value)).all())


def is_noise(value: Floats, expected: Floats) -> bool:
    """Whether the sum of the leaves is what chance makes of what was expected."""
    if not len(value):
        return True
    level = expected_level(value, expected)
    variance = (relative_variance(value, expected) * level**2).sum()
    return bool(abs((value - expected).sum()) <= SURE * np.sqrt(variance))
