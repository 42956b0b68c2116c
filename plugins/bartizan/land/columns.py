"""Arrow columns of log records, straight from their text."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from bartizan.land import gather
from bartizan.land.framing import Frames, Ints
from bartizan.land.locate import CAPACITY, COUNT, OF_LEVEL, WHOLE, locate
from bartizan.land.memory import address
from bartizan.land.nodes import (
    INTEGER,
    LIST,
    NUMBERS,
    OBJECT,
    SLOTS,
    Node,
    member_table,
    node_table,
    nodes,
    tree,
)
from bartizan.land.shape import RECORD

_FIRST_CAPACITY = 1024  # values of a level


class Columns:
    """The values of some records. Made once and used for one chunk of records after the other: to
    touch fresh memory costs more than to parse.
    """

    def __init__(self) -> None:
        self._text = np.empty(0, np.uint8)
        self._root = tree(RECORD)
        self._all = tuple(nodes(self._root))
        self._nodes = node_table(self._root)
        self._members = member_table(self._root)
        self._levels = np.zeros((max(node.level for node in self._all) + 1, OF_LEVEL), np.int64)
        self._levels[:, CAPACITY] = _FIRST_CAPACITY
        self._lay_out()

    def read(self, frames: Frames, any_value: bool = False) -> Ints:
        """Find the values of all records. Returns what each record is: see land/locate.py.

        With `any_value`, the text is known to be JSON, and members without a type may have values.
        """
        assert len(frames.buffer) < 2**31, f"{len(frames.buffer)} bytes are too many for 31 bits"
        self._text = np.frombuffer(frames.buffer, np.uint8)
        self._levels[:, WHOLE] = 0
        self._forget()
        while self._levels[0, CAPACITY] < len(frames):
            self._grow(0)
        verdict = np.zeros(len(frames), np.int64)
        ends = frames.start + frames.length
        assert not len(ends) or (frames.start.min() >= 0 and ends.max() <= len(frames.buffer))
        while (
            full := locate(
                address(self._text), frames.start, ends, any_value,
                address(self._nodes), address(self._members),
                address(self._levels), len(self._levels), address(self._slots), verdict,
            )
        ) >= 0:  # fmt: skip
            self._forget()
            self._grow(full)
        return verdict

    def column(self, path: Sequence[str], kind: pa.DataType, records: Ints) -> pa.Array:
        """The values of one member, by its path from the record, for the records of these numbers
        in this order. `kind` has the shape of the member, and its own names of members.
        """
        node = self._root
        for name in path:
            node = node.members[name]
        return self._array(node, kind, records)

    def integers(self, name: str) -> Ints:
        """The values of an integer of all records, in their order; 0 where there is none."""
        node = self._root.members[name]
        return np.where(self.given(name), self._of(node, NUMBERS)[: self._levels[0, COUNT]], 0)

    def given(self, name: str) -> npt.NDArray[np.bool_]:
        """Which of all records have a value for a member."""
        return np.not_equal(self._of(self._root.members[name], SLOTS)[: self._levels[0, COUNT]], 0)

    def _array(self, node: Node, kind: pa.DataType, order: Ints) -> pa.Array:
        slots = self._of(node, SLOTS)
        valid = np.zeros((len(order) + 7) // 8, np.uint8)
        missing = gather.mark_valid(slots, order, valid)
        if missing == len(order):
            return pa.nulls(len(order), kind)
        buffers = [pa.py_buffer(valid) if missing else None]
        children: list[pa.Array] = []
        if node.kind == OBJECT:
            members = zip(node.members.values(), kind, strict=True)
            children = [self._array(member, field.type, order) for member, field in members]
        elif node.kind == INTEGER:
            numbers = np.empty(len(order), kind.to_pandas_dtype())
            gather.copy_numbers(slots, self._of(node, NUMBERS), order, numbers)
            buffers.append(pa.py_buffer(numbers))
        else:
            offsets = np.empty(len(order) + 1, np.int32)
            gather.offsets_of(slots, order, offsets)
            buffers.append(pa.py_buffer(offsets))
            if node.kind == LIST:
                items = np.empty(offsets[-1], np.int64)
                gather.copy_items(slots, order, offsets, items)
                children = [self._array(node.members[""], kind.value_type, items)]
            else:
                texts = np.empty(offsets[-1], np.uint8)
                gather.copy_texts(address(self._text), slots, order, offsets, texts)
                buffers.append(pa.py_buffer(texts))
        return pa.Array.from_buffers(kind, len(order), buffers, missing, 0, children)

    def _of(self, node: Node, what: int) -> Ints:
        """The node's slots or, with NUMBERS, the integers that these say are there."""
        start = self._nodes[node.number, what]
        return self._slots[start : start + self._levels[node.level, CAPACITY]]

    def _forget(self) -> None:
        """Clear the slots of values that are not of whole records."""
        for node in self._all:
            level = self._levels[node.level]
            self._of(node, SLOTS)[level[WHOLE] : level[COUNT]] = 0
        self._levels[:, COUNT] = self._levels[:, WHOLE]

    def _grow(self, level: int) -> None:
        """Make room for four times as many values of a level."""
        places = [(node, SLOTS) for node in self._all]
        places += [(node, NUMBERS) for node in self._all if node.kind == INTEGER]
        before = [self._of(*place) for place in places]
        self._levels[level, CAPACITY] *= 4
        self._lay_out()
        for place, values in zip(places, before, strict=True):
            self._of(*place)[: len(values)] = values

    def _lay_out(self) -> None:
        size = 0
        for node in self._all:
            for what in (SLOTS, NUMBERS) if node.kind == INTEGER else (SLOTS,):
                self._nodes[node.number, what] = size
                size += int(self._levels[node.level, CAPACITY])
        self._slots = np.zeros(size, np.int64)
