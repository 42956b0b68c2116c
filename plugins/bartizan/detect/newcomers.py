"""Series never seen before, judged against how series usually first appear.

The population are the counts of the first interval (and the first few) of series that appeared
in the history after its first day. A newcomer is anomalous when so large a one comes less than once
in ten weeks: by how many come in a week, and by a negative binomial of their sizes. No larger than
what has come more often than a few times a week is never anomalous, whatever that model says.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bartizan.detect.counts import tail_above
from bartizan.detect.panel import Floats, Integers
from bartizan.detect.severity import rarity

PRIOR_SIZE, PRIOR_COUNT = 3.0, 12  # appearances of three, until the history shows its own
PRIOR_WEEK = 2.0  # of them in a week
ALLOWED = 0.1  # newcomers of severity 70 in a week
SPARED = 3.0  # the largest newcomers of a week may have been attacks
CLIP = 3.0  # appearances beyond three times the median are taken for attacks
MIN_DISPERSION = 1.0
MIN_NEW = 10.0  # counts by which a newcomer must exceed the usual ones
FAR = 3.0  # standard deviations of the normal range


@dataclass(frozen=True)
class Newcomers:
    """How many there are `per_week`; mean size, relative variance and the largest usual size of
    first appearances, per interval and per sum."""

    per_week: float
    mean: float
    dispersion: float
    usual: float
    sum_mean: float
    sum_dispersion: float
    sum_usual: float


def appearances(values: Floats, first: Integers, warm_up: int, length: int) -> Floats:
    """Counts (N, length) of those of S series that appeared, from their first interval on.

    `values` (S, T) are counts, `first` (S) the position of the first row of each. Series that are
    there within the first `warm_up` intervals are not known to have appeared.
    """
    arrived = np.flatnonzero((first >= warm_up) & (first + length <= values.shape[1]))
    columns = first[arrived][:, None] + np.arange(length)
    counts: Floats = np.nan_to_num(values[arrived[:, None], columns])
    return counts


def fit_newcomers(counts: Floats, weeks: float) -> Newcomers:
    """From `appearances` of so many weeks, in any order."""
    spared = int(np.ceil(SPARED * weeks))
    first, total = counts[:, 0], counts.sum(axis=1)
    mean, dispersion = _sizes(first, PRIOR_SIZE)
    sum_mean, sum_dispersion = _sizes(total, 2 * PRIOR_SIZE)
    return Newcomers(
        (len(counts) + PRIOR_WEEK) / (weeks + 1),
        mean,
        dispersion,
        _largest(first, spared),
        sum_mean,
        sum_dispersion,
        _largest(total, spared),
    )


def _largest(seen: Floats, spared: int) -> float:
    """The largest size but for so many."""
    return float(np.sort(seen)[::-1][spared]) if len(seen) > spared else 0.0


def _sizes(seen: Floats, prior: float) -> tuple[float, float]:
    sizes = np.concatenate([np.sort(seen), np.full(PRIOR_COUNT, prior)])
    sizes = np.minimum(sizes, CLIP * np.median(sizes))
    mean = float(sizes.mean())
    return mean, max(float((sizes.var() - mean) / mean**2), MIN_DISPERSION)


def population_rarity(
    newcomers: Newcomers, values: Floats, level: Floats, length: int, allowed: float
) -> tuple[Floats, Floats]:
    """How rare such sizes are for a newcomer, and the upper end of the normal ones, both (S, T).

    `values` (S, T) are counts, `level` (S) a series' mean so far. Taken by the interval, and by the
    last `length` of them. `allowed` is the rarity of severity 70.
    """
    value, own = np.nan_to_num(values), level[:, None]
    due = np.broadcast_to(np.maximum(own, newcomers.mean), value.shape)
    total, total_due = _sum(value, length), np.maximum(own * length, newcomers.sum_mean)
    single = np.where(
        (value - due >= MIN_NEW) & (value > newcomers.usual),
        tail_above(value, due, np.asarray(newcomers.dispersion)),
        1.0,
    )
    several = np.where(
        (total - total_due >= MIN_NEW) & (total > newcomers.sum_usual) & (value > own),
        tail_above(np.nan_to_num(total), total_due, np.asarray(newcomers.sum_dispersion)),
        1.0,
    )
    upper = np.ceil(due * (1 + FAR * np.sqrt(newcomers.dispersion + 1 / np.maximum(due, 1))))
    rare = rarity(np.minimum(single, several))
    seldom = allowed - np.log10(newcomers.per_week / ALLOWED)
    return np.where(rare > 0, np.maximum(np.where(own > 0, 0.0, seldom) + rare, 0.0), 0.0), upper


def _sum(values: Floats, length: int) -> Floats:
    """Sum (S, T) of each column and up to `length - 1` before it."""
    padded = np.pad(values, ((0, 0), (length - 1, 0)))
    total = padded[:, length - 1 :].copy()
    for back in range(1, length):
        total += padded[:, length - 1 - back : padded.shape[1] - back]
    return total
