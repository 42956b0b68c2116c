"""Gauges: averages and other values that are not counts, with a Student t tail.

Expected: mean of each slot (hour of day x weekday or weekend) after clipping at five robust
standard deviations, shrunk to the series' level. Spread: one standard deviation per series, the
larger of 1.4826 MAD (Rousseeuw and Croux 1993) and the clipped standard deviation.
"""

from __future__ import annotations

import numpy as np
from scipy.special import stdtr

from bartizan.detect.calendar import DAY_TYPES, HOURS, SLOTS, Calendar
from bartizan.detect.panel import Floats

FREEDOM = 5.0  # degrees of freedom of the tail
CLIP = 5.0
PRIOR_HOURS = 3.0  # hours of the level each slot starts from
MIN_SPREAD = 1e-3  # relative to the level: narrower bands would judge rounding


def fit_mean(values: Floats, calendar: Calendar) -> Floats:
    """Slot means (S, 2, 24) from values (S, T), NaN where unknown."""
    middle, spread = _robust(values)
    clipped = np.clip(values, middle - CLIP * spread, middle + CLIP * spread)
    starts, slot = calendar.blocks()
    known = np.isfinite(values)
    weight = np.add.reduceat(known, starts, axis=1, dtype=float)
    block = np.add.reduceat(np.where(known, clipped, 0.0), starts, axis=1) / np.maximum(weight, 1)
    member = np.eye(SLOTS)[slot]
    hours = (weight > 0) @ member
    level = block.sum(axis=1) / np.maximum((weight > 0).sum(axis=1), 1)
    mean: Floats = (block @ member + PRIOR_HOURS * level[:, None]) / (hours + PRIOR_HOURS)
    return mean.reshape(-1, DAY_TYPES, HOURS)


def fit_variance(values: Floats, mean: Floats) -> Floats:
    """Variance (S) of values (S, T) around their means."""
    residual = values - mean
    middle, spread = _robust(residual)
    clipped = np.clip(residual, middle - CLIP * spread, middle + CLIP * spread)
    wide = np.sqrt(_mean(clipped**2))
    floor = MIN_SPREAD * np.abs(_mean(mean)) + 1e-9
    result: Floats = np.maximum(np.maximum(spread[:, 0], wide), floor) ** 2
    return result


def tail_above(value: Floats, mean: Floats, variance: Floats) -> Floats:
    """Probability of a value above `value`, Student t with FREEDOM degrees of freedom."""
    result: Floats = stdtr(FREEDOM, (mean - value) / np.sqrt(variance))
    return result


def _robust(values: Floats) -> tuple[Floats, Floats]:
    """Median and 1.4826 MAD, each (S, 1); the standard deviation where the MAD is zero."""
    known = np.where(np.isfinite(values).any(axis=1, keepdims=True), values, 0.0)
    middle = np.nanmedian(known, axis=1, keepdims=True)
    spread = 1.4826 * np.nanmedian(np.abs(known - middle), axis=1, keepdims=True)
    return middle, np.where(spread > 0, spread, np.nanstd(known, axis=1, keepdims=True))


def _mean(values: Floats) -> Floats:
    known = np.isfinite(values)
    mean: Floats = np.where(known, values, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    return mean
