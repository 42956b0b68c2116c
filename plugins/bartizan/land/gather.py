"""Gathers what locate.py found into Arrow's buffers, column by column, in any order of the records.

`slots` are those of one node, `order` the numbers of its values.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from bartizan.compiled import compiled
from bartizan.land.framing import Ints
from bartizan.land.json_text import copy_plain, copy_unescaped
from bartizan.land.locate import LENGTH_BITS

Bytes = npt.NDArray[np.uint8]
Offsets = npt.NDArray[np.int32]

_LENGTH = (1 << LENGTH_BITS) - 1


@compiled
def mark_valid(slots: Ints, order: Ints, bits: Bytes) -> int:
    """Set the bit of every value that is there. Returns how many are not."""
    missing = 0
    for row in range(len(order)):
        if slots[order[row]]:
            bits[row >> 3] |= 1 << (row & 7)
        else:
            missing += 1
    return missing


@compiled
def offsets_of(slots: Ints, order: Ints, offsets: Offsets) -> None:
    """Where each text or list starts among the gathered ones, and where the last one ends."""
    offsets[0] = 0
    for row in range(len(order)):
        offsets[row + 1] = offsets[row] + (abs(slots[order[row]]) & _LENGTH)


@compiled
def copy_texts(text: int, slots: Ints, order: Ints, offsets: Offsets, out: Bytes) -> None:
    """The texts one after the other, from the text at address `text`."""
    to = out.ctypes.data
    for row in range(len(order)):
        slot = slots[order[row]]
        length = offsets[row + 1] - offsets[row]
        if slot > 0:
            copy_plain(text, (slot >> LENGTH_BITS) - 1, length, to, offsets[row])
        elif slot < 0:
            copy_unescaped(text, (-slot >> LENGTH_BITS) - 1, length, to, offsets[row])


@compiled
def copy_items(slots: Ints, order: Ints, offsets: Offsets, out: Ints) -> None:
    """The numbers of the items of all lists."""
    for row in range(len(order)):
        first = (slots[order[row]] >> LENGTH_BITS) - 1
        for place in range(offsets[row + 1] - offsets[row]):
            out[offsets[row] + place] = first + place


@compiled
def copy_numbers(slots: Ints, numbers: Ints, order: Ints, out: npt.NDArray[Any]) -> None:
    """The integers; 0 where there is none."""
    for row in range(len(order)):
        out[row] = numbers[order[row]] if slots[order[row]] else 0
