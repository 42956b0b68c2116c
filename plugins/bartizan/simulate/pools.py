"""Pre-rendered JSON fragments, drawn by weight: what makes a million records a minute possible."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Fragments = tuple[str, ...]
Indices = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Pool:
    """`items[i]` is drawn with probability `cumulative[i] - cumulative[i - 1]`."""

    items: tuple[Fragments, ...]
    cumulative: NDArray[np.float64]

    @classmethod
    def of(cls, items: Sequence[Fragments], weights: Sequence[float] | None = None) -> Pool:
        share = np.ones(len(items)) if weights is None else np.asarray(weights, dtype=float)
        return cls(tuple(items), np.cumsum(share / share.sum()))

    def draw(self, rng: np.random.Generator, count: int) -> Indices:
        """Indices of `count` items drawn with replacement."""
        found = np.searchsorted(self.cumulative, rng.random(count), side="right")
        return np.minimum(found, len(self.items) - 1)


def zipf(count: int, exponent: float) -> NDArray[np.float64]:
    """Weights of ranks 1 to `count` by Zipf's law: 1 / rank ** exponent."""
    weights: NDArray[np.float64] = np.arange(1, count + 1, dtype=float) ** -exponent
    return weights


def compact(value: object) -> str:
    """JSON without blanks, as AWS writes it."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def escaped(text: str) -> str:
    """Text as it stands between the quotes of a JSON string."""
    return json.dumps(text, ensure_ascii=False)[1:-1]
