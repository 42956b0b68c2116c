"""Periods that nobody told: the lag at which a series resembles itself most.

Autocorrelation by FFT (Wiener-Khinchin theorem); the first peak nearly as high as the highest is
the period, so that its multiples are not taken for it.
"""

from __future__ import annotations

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft

from bartizan.detect.panel import Floats, Integers

SHORTEST = 4
LONGEST = 512
CYCLES = 3  # a period is believed only after it was seen so often
ALIKE = 0.2  # least autocorrelation of a period
NEARLY = 0.9


def find_period(values: Floats) -> Integers:
    """The most likely period (S) of values (S, T) in intervals, 0 for none; NaN is unknown."""
    longest = min(values.shape[1] // CYCLES, LONGEST)
    none: Integers = np.zeros(len(values), dtype=np.int64)
    if longest <= SHORTEST:
        return none
    likeness = _autocorrelation(values, longest + 1)
    inner = likeness[:, SHORTEST : longest + 1]
    peak = (inner > likeness[:, SHORTEST - 1 : longest]) & (
        inner >= likeness[:, SHORTEST + 1 : longest + 2]
    )
    height = np.where(peak, inner, 0.0)
    highest = height.max(axis=1)
    first = (height >= NEARLY * highest[:, None]).argmax(axis=1) + SHORTEST
    return np.where(highest > ALIKE, first, none)


def _autocorrelation(values: Floats, lags: int) -> Floats:
    """Autocorrelations (S, lags + 1), over the pairs of which both are known."""
    known = np.isfinite(values)
    mean = np.where(known, values, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    centred = np.where(known, values - mean[:, None], 0.0)
    size = next_fast_len(values.shape[1] + lags + 1, real=True)
    product = irfft(np.abs(rfft(centred, size)) ** 2, size)[:, : lags + 1]
    pairs = irfft(np.abs(rfft(known.astype(float), size)) ** 2, size)[:, : lags + 1]
    covariance = product / np.maximum(pairs, 1.0)
    result: Floats = covariance / np.maximum(covariance[:, :1], 1e-300)
    return result
