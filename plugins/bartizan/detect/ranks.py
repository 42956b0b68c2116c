"""Medians and quantiles of the known values of each series, all series at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bartizan.detect.values import Floats, Integers


def medians(values: Floats) -> Floats:
    """Medians (S) of values (S, T), NaN where unknown; NaN where nothing is known."""
    ranked, known = _ranked(values)
    last = np.maximum(known - 1, 0)
    row = np.arange(len(values))
    result: Floats = (ranked[row, last // 2] + ranked[row, last - last // 2]) / 2
    return result


def quantiles(values: Floats, parts: Sequence[float]) -> Floats:
    """Quantiles (K, S) of values (S, T), linear between the two nearest ranks (type 7 of Hyndman
    and Fan 1996, Sample Quantiles in Statistical Packages), as NumPy reckons them."""
    ranked, known = _ranked(values)
    last = np.maximum(known - 1, 0)
    row = np.arange(len(values))
    found = []
    for part in parts:
        rank = part * last
        below = np.floor(rank).astype(np.int64)
        low, high = ranked[row, below], ranked[row, np.minimum(below + 1, last)]
        share, gap = rank - below, high - low
        found.append(np.where(share < 0.5, low + gap * share, high - gap * (1 - share)))
    return np.stack(found)


def _ranked(values: Floats) -> tuple[Floats, Integers]:
    """Each row in ascending order, what is unknown last; and how many (S) are known."""
    known: Integers = (~np.isnan(values)).sum(axis=1)
    if not values.shape[1]:
        return np.full((len(values), 1), np.nan), known
    return np.sort(values, axis=1), known
