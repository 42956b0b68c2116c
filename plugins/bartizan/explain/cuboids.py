"""Cuboids: sets of dimensions. An element of one is a combination of a value of each.

Values are numbered from 0 per dimension, the most remarkable first, so that a cuboid of too many
combinations can do without the others.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import prod

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.int64]
Cuboid = tuple[int, ...]

LAYERS = 3  # most dimensions of an element
ROOM = 1 << 20  # most elements of a cuboid; more do not fit the processor's cache either


def cuboids(sizes: Sequence[int]) -> list[Cuboid]:
    """All of at most three dimensions, the empty one, everything together, first.

    A dimension of one value tells nothing apart.
    """
    telling = [dimension for dimension, size in enumerate(sizes) if size > 1]
    return [cuboid for layer in range(LAYERS + 1) for cuboid in combinations(telling, layer)]


@dataclass(frozen=True)
class Numbering:
    """Elements of one cuboid as numbers: those of its dimensions' first `kept` values."""

    cuboid: Cuboid
    kept: tuple[int, ...]

    @classmethod
    def of(cls, cuboid: Cuboid, sizes: Sequence[int]) -> Numbering:
        """All values where there is room, else as many of the longest dimensions as there is."""
        kept = [sizes[dimension] for dimension in cuboid]
        while prod(kept) > ROOM:
            longest = max(kept)
            kept = [min(size, max(longest * 3 // 4, 1)) for size in kept]
        return cls(cuboid, tuple(kept))

    @property
    def elements(self) -> int:
        return prod(self.kept)

    def of_leaves(self, columns: Sequence[Codes]) -> Codes:
        """The element of every leaf; `elements` where that is left out."""
        ids = np.zeros(len(columns[0]), dtype=np.int64)
        for dimension, kept in zip(self.cuboid, self.kept, strict=True):
            ids *= kept
            ids += np.minimum(columns[dimension], kept - 1)
        for dimension, kept in zip(self.cuboid, self.kept, strict=True):
            if int(columns[dimension].max(initial=0)) >= kept:
                ids[columns[dimension] >= kept] = self.elements
        return ids

    def values(self, element: int) -> Iterator[tuple[int, int]]:
        """Dimension and value number of an element."""
        places = np.unravel_index(element, self.kept) if self.kept else ()
        for dimension, value in zip(self.cuboid, places, strict=True):
            yield dimension, int(value)
