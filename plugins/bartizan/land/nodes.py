"""The documented shape of a log record: a tree of numbered nodes, and tables for compiled loops.

A node's values are counted by its level: level 0 are the records, every list opens a level of its
own for its items. A node that is not inside a list has at most one value a record.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from bartizan.land.framing import Ints
from bartizan.land.shape import BOUNDS, JSON_TEXT, TEXT, Shape

DEEPEST = 16  # objects and lists inside each other

OBJECT, LIST, TEXTUAL, INTEGER, ANY = range(5)  # kinds; those with others inside come first

# Columns of the table of nodes. FIRST, END: its members; of a list, the node and the level of its
# items. GUESS: the member that came first last time. SLOTS, NUMBERS: see land/columns.py.
KIND, LEVEL, BITS, FIRST, END, GUESS, SLOTS, NUMBERS = range(8)
_OF_NODE = 8
ROW_OF_NODE = 8 * _OF_NODE  # bytes

# Columns of the table of members. NEXT: the member that came behind this one last time. NAME: the
# name in quotes, in 32 bytes.
NODE, NEXT, LENGTH, NAME = range(4)
_OF_MEMBER = 7
ROW_OF_MEMBER = 8 * _OF_MEMBER  # bytes
_NAME_BYTES = 8 * (_OF_MEMBER - NAME)


@dataclass(frozen=True)
class Node:
    """One place of the shape. A list has its items as its only member, without a name."""

    number: int
    kind: int
    level: int
    bits: int  # of an integer, without its sign
    members: dict[str, Node]


def tree(shape: Shape) -> Node:
    """The nodes of the shape, numbered in its order."""
    return _Numbering().node(shape, 0)


def nodes(root: Node) -> Iterator[Node]:
    """The node and all below it, in the order of their numbers."""
    yield root
    for member in root.members.values():
        yield from nodes(member)


def node_table(root: Node) -> Ints:
    """A row per node; the slots are yet to be set."""
    table = np.zeros((sum(1 for _ in nodes(root)), _OF_NODE), np.int64)
    members = 0
    for row, node in zip(table, nodes(root), strict=True):
        row[KIND], row[LEVEL], row[BITS] = node.kind, node.level, node.bits
        if node.kind == OBJECT:
            row[FIRST], row[END] = members, members + len(node.members)
            row[GUESS] = members
            members += len(node.members)
        elif node.kind == LIST:
            row[FIRST], row[END] = node.members[""].number, node.members[""].level
    return table


def member_table(root: Node) -> Ints:
    """A row per member of an object."""
    objects = [node for node in nodes(root) if node.kind == OBJECT]
    members = [pair for node in objects for pair in node.members.items()]
    table = np.zeros((len(members), _OF_MEMBER), np.int64)
    for number, (row, (name, node)) in enumerate(zip(table, members, strict=True)):
        quoted = f'"{name}"'.encode()
        row[NODE], row[LENGTH] = node.number, len(quoted)
        row[NEXT] = min(number + 1, len(members) - 1)
        row[NAME:] = np.frombuffer(quoted.ljust(_NAME_BYTES, b"\0"), np.int64)
    return table


class _Numbering:
    def __init__(self) -> None:
        self._nodes = self._levels = 0

    def node(self, shape: Shape, level: int, depth: int = 0) -> Node:
        assert depth <= DEEPEST, shape
        number = self._nodes
        self._nodes += 1
        if isinstance(shape, dict):
            members = {name: self.node(member, level, depth + 1) for name, member in shape.items()}
            return Node(number, OBJECT, level, 0, members)
        if isinstance(shape, list):
            self._levels += 1
            return Node(number, LIST, level, 0, {"": self.node(shape[0], self._levels, depth + 1)})
        if shape in BOUNDS:
            return Node(number, INTEGER, level, BOUNDS[shape][1].bit_length(), {})
        assert shape in (TEXT, JSON_TEXT), shape
        return Node(number, TEXTUAL if shape == TEXT else ANY, level, 0, {})
