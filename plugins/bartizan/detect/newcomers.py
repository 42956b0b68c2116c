"""Series never seen before, judged against how series usually first appear.

The population are the counts of the first interval (and the first few) of series that appeared
in the history after its first day. A newcomer's count is compared with a negative binomial of
that mean, wide on purpose: a first appearance is rare already, only its size can accuse it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bartizan.detect.panel import Floats, Integers

PRIOR_SIZE, PRIOR_COUNT = 3.0, 5  # appearances of three, until the history shows its own
CLIP = 5.0  # appearances beyond five times the median are taken for attacks
MIN_DISPERSION = 1.0


@dataclass(frozen=True)
class Newcomers:
    """Mean size and relative variance of first appearances, per interval and per sum."""

    mean: float
    dispersion: float
    sum_mean: float
    sum_dispersion: float


def fit_newcomers(values: Floats, first: Integers, warm_up: int, length: int) -> Newcomers:
    """From counts (S, T) and the position `first` (S) of the first row of each series.

    Series that are there within the first `warm_up` intervals are not known to have appeared.
    """
    arrived = np.flatnonzero((first >= warm_up) & (first + length <= values.shape[1]))
    counts = np.nan_to_num(values[arrived[:, None], first[arrived][:, None] + np.arange(length)])
    mean, dispersion = _sizes(counts[:, 0], PRIOR_SIZE)
    sum_mean, sum_dispersion = _sizes(counts.sum(axis=1), 2 * PRIOR_SIZE)
    return Newcomers(mean, dispersion, sum_mean, sum_dispersion)


def _sizes(seen: Floats, prior: float) -> tuple[float, float]:
    sizes = np.concatenate([np.sort(seen), np.full(PRIOR_COUNT, prior)])
    sizes = np.minimum(sizes, CLIP * np.median(sizes))
    mean = float(sizes.mean())
    return mean, max(float((sizes.var() - mean) / mean**2), MIN_DISPERSION)
