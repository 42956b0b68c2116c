"""How often sizes come that are larger than nearly all: a power law, fitted without the largest.

Beyond a high order statistic most tails of sizes are close to a power law (Pickands 1975). Its
shape is the trimmed Hill estimator (Bhattacharya, Kallitsis and Stoev 2019, Trimming the Hill
estimator, Extremes 22): the largest sizes may have been attacks and have no say, and it is optimal
for what is left. They count as no more than the size from which on they are spared.

Sizes are the largest of a group in a day (block maxima, Gumbel 1958): an attack by many is one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bartizan.detect.panel import Floats

LEAST_DEPTH, DEPTH = 20, 0.1  # order statistics that tell the shape: so many, or this share
SPARED = 1.0  # days of a week that may have been attacks
PRIOR_SHAPE, PRIOR_DEPTH = 0.5, 6  # the heaviest of a finite variance, until so many speak


@dataclass(frozen=True)
class HeavyTail:
    """Sizes from `size` on come `per_week` times; beyond it by a power law of index 1 / `shape`."""

    size: float
    per_week: float
    shape: float

    def comes(self, sizes: Floats) -> Floats:
        """How often in a week one so large comes, or larger; infinitely often what is usual."""
        beyond = np.maximum(sizes / self.size, 1.0)
        often = self.per_week * beyond ** (-1 / self.shape)
        return np.where(beyond > 1, often, np.inf)


def spared_in(weeks: float) -> int:
    """How many of the largest sizes have no say."""
    return int(np.ceil(SPARED * weeks))


def fit_tail(sizes: Floats, spared: int, weeks: float) -> HeavyTail | None:
    """From positive sizes (N, in any order) of so many weeks, of which so many are spared. None
    where there are no more than those."""
    if len(sizes) <= spared:
        return None
    ranked = np.sort(sizes)[::-1]
    deep = min(len(ranked) - 1, spared + max(LEAST_DEPTH, int(DEPTH * len(ranked))))
    logs = np.log(ranked[spared:deep] / ranked[deep])
    total = spared * logs[0] + logs.sum() if len(logs) else 0.0
    shape = (total + PRIOR_DEPTH * PRIOR_SHAPE) / (len(logs) + PRIOR_DEPTH)
    return HeavyTail(float(ranked[spared]), (spared + 1) / weeks, float(shape))
