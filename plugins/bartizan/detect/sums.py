"""Sums of the intervals that belong together, such as all of one hour of the day."""

from __future__ import annotations

import numpy as np

from bartizan.compiled import compiled
from bartizan.detect.values import Floats, Integers


def sums_by(values: Floats, group: Integers, groups: int) -> Floats:
    """Sums (S, groups) of values (S, T), of which column t belongs to `group[t]`."""
    sums = np.zeros((len(values), groups))
    _add_up(values, group, sums)
    return sums


@compiled
def _add_up(values: Floats, group: Integers, sums: Floats) -> None:
    for s in range(values.shape[0]):
        for t in range(values.shape[1]):
            sums[s, group[t]] += values[s, t]
