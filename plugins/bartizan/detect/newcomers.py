"""How series first appear: how many in a week, and how large they get on their first day.

Sizes are relative to what is typical of their group (`population.py`). They have the tail of a
negative binomial, and where newcomers came on more days than may have been attacks, that of a power
law where it is heavier; what came on so many days is usual.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bartizan.detect.counts import tail_above
from bartizan.detect.heavy_tail import HeavyTail, fit_tail, spared_in
from bartizan.detect.panel import Floats

PRIOR_COUNT = 12  # typical appearances, until the history shows its own
PRIOR_WEEK = 2.0  # of them in a week
CLIP = 3.0  # appearances beyond three times the median are taken for attacks
MIN_DISPERSION = 1.0


@dataclass(frozen=True)
class Newcomers:
    """How many there are `per_week`; mean and relative variance of their sizes, and how the largest
    of a day come, None where there were too few."""

    per_week: float
    mean: float
    dispersion: float
    largest: HeavyTail | None

    def comes(self, size: Floats, typical: Floats, of_day: Floats) -> Floats:
        """How many so large ones, or larger, come in a week; infinitely many of usual size.

        What is `typical` of one, and of the largest one `of_day`.
        """
        tail = tail_above(size, typical * self.mean, np.asarray(self.dispersion))
        often: Floats = self.per_week * tail
        if self.largest is None:
            return often
        return np.maximum(often, self.largest.comes(size / of_day))


def fit_newcomers(relative: Floats, largest: Floats, weeks: float) -> Newcomers:
    """From sizes (N) of the series that appeared in so many weeks, relative to what is typical of
    one; and of the largest of each group and day, relative to what is typical of those."""
    sizes = np.concatenate([np.sort(relative), np.ones(PRIOR_COUNT)])
    sizes = np.minimum(sizes, CLIP * np.median(sizes))
    mean = float(sizes.mean())
    return Newcomers(
        (len(relative) + PRIOR_WEEK) / (weeks + 1),
        mean,
        max(float((sizes.var() - mean) / mean**2), MIN_DISPERSION),
        fit_tail(largest, spared_in(weeks), weeks),
    )
