"""Finds the few texts of a column that contain something, at the speed of reading their bytes."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from bartizan.compiled import compiled
from bartizan.land.json_text import next_byte
from bartizan.land.memory import byte


def containing(texts: pa.Array, piece: bytes) -> pa.Array:
    """Which of the texts contain a piece; not what is NULL. It is best if the last byte of the
    piece is a rare one.
    """
    assert pa.types.is_string(texts.type), f"{texts.type} has other offsets"
    marks = np.zeros(len(texts), np.bool_)
    _, offsets, data = texts.buffers()
    if len(texts) and data is not None:
        bounds = np.frombuffer(offsets, np.int32)[texts.offset : texts.offset + len(texts) + 1]
        _mark(data.address, bounds, np.frombuffer(piece, np.uint8), marks)
    return pa.array(marks)


@compiled
def _mark(text: int, bounds: Any, piece: Any, marks: npt.NDArray[np.bool_]) -> None:
    row = 0
    at, end = bounds[0], bounds[-1]
    while True:
        at = next_byte(text, at, end, piece[-1])
        if at == end:
            return
        while bounds[row + 1] <= at:
            row += 1
        start = at - len(piece) + 1
        if start >= bounds[row]:
            same = True
            for place in range(len(piece) - 1):
                same &= byte(text, start + place) == piece[place]
            marks[row] |= same
        at += 1
