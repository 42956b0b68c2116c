"""Generated multi-dimensional faults, as Squeeze (Li et al. 2019) and RiskLoc (2022) define them.

Leaves are combinations of all dimensions' values, with forecast and actual value. A fault has one
to three root causes: combinations of one to three dimensions (all of one cuboid), disjoint. By the
generalised ripple effect every leaf f of a root cause has the same 2 (f - v) / (f + v); by the
vertical assumption that holds for all leaves of it, by the horizontal one root causes differ.
All other leaves differ from their forecast by relative Gaussian noise.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from accuracy.detector import Floats

SIZES = (6, 8, 10, 5)  # values of each dimension
SPARSE = 0.3  # share of combinations that never occur
NOISES = (0.01, 0.05, 0.1, 0.2)
LAYERS = CAUSES = (1, 2, 3)
MAGNITUDES = (0.3, 1.2)
LEAST_LEAVES, LEAST_CHANGE = 3, 0.02  # of a root cause; of the total, in a fault worth explaining

Codes = NDArray[np.int64]
Combination = tuple[tuple[int, int], ...]  # (dimension, value), by dimension


@dataclass(frozen=True)
class Fault:
    """`codes` (N, dimensions) of leaves with their `actual` and `forecast` values (N)."""

    codes: Codes
    actual: Floats
    forecast: Floats
    noise: float
    causes: frozenset[Combination]
    family: str = "ripple"

    @property
    def layer(self) -> int:
        return len(next(iter(self.causes)))


def members(codes: Codes, combination: Combination) -> NDArray[np.bool_]:
    """Which leaves belong to the combination."""
    names, values = zip(*combination, strict=True)
    return np.asarray((codes[:, names] == values).all(axis=1))


def faults(each: int, seed: int) -> Iterator[Fault]:
    """So many faults of every noise, layer and number of root causes."""
    for noise in NOISES:
        for layer in LAYERS:
            for causes in CAUSES:
                for number in range(each):
                    at = [seed, round(noise * 100), layer, causes, number]
                    yield _fault(np.random.default_rng(at), noise, layer, causes)


def _fault(rng: np.random.Generator, noise: float, layer: int, causes: int) -> Fault:
    codes = np.stack(np.meshgrid(*map(np.arange, SIZES), indexing="ij"), -1).reshape(-1, len(SIZES))
    codes = codes[rng.random(len(codes)) >= SPARSE]
    forecast = rng.lognormal(3, 1, len(codes))
    while True:
        dimensions = np.sort(rng.choice(len(SIZES), layer, replace=False))
        rows = np.unique(codes[:, dimensions], axis=0)
        picked = rng.choice(rows, causes, replace=False)
        chosen = [tuple(zip(dimensions.tolist(), row.tolist(), strict=True)) for row in picked]
        actual = forecast * np.maximum(1 + noise * rng.normal(size=len(codes)), 0)
        sign = rng.choice([-1, 1])
        for cause in chosen:
            hit = members(codes, cause)
            ripple = sign * rng.uniform(*MAGNITUDES)
            actual[hit] = forecast[hit] * (2 - ripple) / (2 + ripple)
        counts = [members(codes, cause).sum() for cause in chosen]
        change = abs(actual.sum() / forecast.sum() - 1)
        if min(counts) >= LEAST_LEAVES and (layer > 1 or change >= LEAST_CHANGE):
            return Fault(codes, actual, forecast, noise, frozenset(chosen))
