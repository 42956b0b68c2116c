"""Series never seen before, judged against how series usually first appear.

The population are the counts of the first interval (and the first few) of series that appeared
in the history after its first day. A newcomer's count is compared with a negative binomial of
that mean, wide on purpose: a first appearance is rare already, only its size can accuse it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bartizan.detect.counts import tail_above
from bartizan.detect.panel import Floats, Integers
from bartizan.detect.severity import rarity

PRIOR_SIZE, PRIOR_COUNT = 3.0, 5  # appearances of three, until the history shows its own
CLIP = 5.0  # appearances beyond five times the median are taken for attacks
MIN_DISPERSION = 1.0
MIN_NEW = 10.0  # counts by which a newcomer must exceed the usual ones
FAR = 3.0  # standard deviations of the normal range


@dataclass(frozen=True)
class Newcomers:
    """Mean size and relative variance of first appearances, per interval and per sum."""

    mean: float
    dispersion: float
    sum_mean: float
    sum_dispersion: float


def appearances(values: Floats, first: Integers, warm_up: int, length: int) -> Floats:
    """Counts (N, length) of those of S series that appeared, from their first interval on.

    `values` (S, T) are counts, `first` (S) the position of the first row of each. Series that are
    there within the first `warm_up` intervals are not known to have appeared.
    """
    arrived = np.flatnonzero((first >= warm_up) & (first + length <= values.shape[1]))
    columns = first[arrived][:, None] + np.arange(length)
    counts: Floats = np.nan_to_num(values[arrived[:, None], columns])
    return counts


def fit_newcomers(counts: Floats) -> Newcomers:
    """From `appearances`, in any order."""
    mean, dispersion = _sizes(counts[:, 0], PRIOR_SIZE)
    sum_mean, sum_dispersion = _sizes(counts.sum(axis=1), 2 * PRIOR_SIZE)
    return Newcomers(mean, dispersion, sum_mean, sum_dispersion)


def _sizes(seen: Floats, prior: float) -> tuple[float, float]:
    sizes = np.concatenate([np.sort(seen), np.full(PRIOR_COUNT, prior)])
    sizes = np.minimum(sizes, CLIP * np.median(sizes))
    mean = float(sizes.mean())
    return mean, max(float((sizes.var() - mean) / mean**2), MIN_DISPERSION)


def population_rarity(
    newcomers: Newcomers, values: Floats, level: Floats, length: int
) -> tuple[Floats, Floats]:
    """How rare such sizes are for a newcomer, and the upper end of the normal ones, both (S, T).

    `values` (S, T) are counts, `level` (S) a series' mean so far. Taken by the interval, and by the
    last `length` of them.
    """
    value, own = np.nan_to_num(values), level[:, None]
    due = np.broadcast_to(np.maximum(own, newcomers.mean), value.shape)
    total, total_due = _sum(value, length), np.maximum(own * length, newcomers.sum_mean)
    single = np.where(
        value - due >= MIN_NEW, tail_above(value, due, np.asarray(newcomers.dispersion)), 1.0
    )
    several = np.where(
        (total - total_due >= MIN_NEW) & (value > own),
        tail_above(np.nan_to_num(total), total_due, np.asarray(newcomers.sum_dispersion)),
        1.0,
    )
    upper = np.ceil(due * (1 + FAR * np.sqrt(newcomers.dispersion + 1 / np.maximum(due, 1))))
    return rarity(np.minimum(single, several)), upper


def _sum(values: Floats, length: int) -> Floats:
    """Sum (S, T) of each column and up to `length - 1` before it."""
    padded = np.pad(values, ((0, 0), (length - 1, 0)))
    total = padded[:, length - 1 :].copy()
    for back in range(1, length):
        total += padded[:, length - 1 - back : padded.shape[1] - back]
    return total
