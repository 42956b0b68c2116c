"""Checks records strictly against the documented shape and finds their values, in one pass.

What is found of a node (land/nodes.py) is noted in slots, one per value in order: where its text
starts and how long it is. Columns are gathered from there (land/gather.py), in any order of the
records. Any other member or type, and anything that is not strict JSON, leaves the whole record to
normalise.py.

The parser is guided by the shape and guesses each member from what followed the one before it in
the last record, as in Li, Katsipoulakis, Chandramouli, Goldstein and Kossmann, "Mison: a fast JSON
parser for data analytics", PVLDB 10(10), 2017. Strings are searched eight bytes at a time.
"""

from __future__ import annotations

import numpy as np

from bartizan.compiled import compiled
from bartizan.land.framing import Ints
from bartizan.land.json_text import (
    COLON,
    COMMA,
    NULL,
    OTHER_ESCAPES,
    PLAIN,
    QUOTE,
    behind_null,
    behind_space,
    behind_value,
    integer,
    string,
)
from bartizan.land.memory import byte, number, put_number, word
from bartizan.land.nodes import (
    ANY,
    BITS,
    END,
    FIRST,
    GUESS,
    INTEGER,
    KIND,
    LENGTH,
    LIST,
    NAME,
    NEXT,
    NODE,
    NUMBERS,
    OBJECT,
    OF_MEMBER,
    OF_NODE,
    SLOTS,
    TEXTUAL,
)

NEEDS_CARE, AS_DOCUMENTED, AS_WRITTEN = range(3)  # of a record; the last: by AWS WAF, byte for byte

COUNT, WHOLE, CAPACITY = range(3)  # columns of the table of levels: values, those of whole records
OF_LEVEL = 3

LENGTH_BITS = 31  # of a slot; above them is where a text starts, or which item of a list is first

_OPENING = (ord("{"), ord("["))
_CLOSING = (ord("}"), ord("]"))
_DEEPEST = 16  # objects and lists inside each other
_OUTER, _INDEX, _BEFORE = range(3)  # of an object or list on the stack: node, value, last member
_OF_STACK = 3


@compiled
def locate(
    text: int,
    starts: Ints,
    ends: Ints,
    any_value: bool,
    nodes: int,
    members: int,
    levels: int,
    level_count: int,
    slots: int,
    verdict: Ints,
) -> int:
    """Go on with the records behind those that are whole; -1 when all are done, else the level
    that needs more slots.

    Integers where arrays are meant are addresses. With `any_value`, members that may have any value
    are taken as they are; the text must be JSON then. A slot is 0 where there is no value; of a
    text (position + 1) * 2**31 + length, its negative if there are escapes; of a list the same with
    the number of its first item and their count; 1 of an object or integer.
    """
    stack = np.empty(_DEEPEST * _OF_STACK, np.int64)
    for record in range(number(levels, WHOLE), len(starts)):
        found = _record(
            text, starts[record], ends[record], record, any_value,
            nodes, members, levels, slots, stack.ctypes.data,
        )  # fmt: skip
        put_number(levels, COUNT, record + 1)
        if found < 0:
            return -1 - found
        verdict[record] = found
        for level in range(level_count):
            row = level * OF_LEVEL
            put_number(levels, row + WHOLE, number(levels, row + COUNT))
    return -1


@compiled
def _record(
    text: int,
    at: int,
    end: int,
    record: int,
    any_value: bool,
    nodes: int,
    members: int,
    levels: int,
    slots: int,
    stack: int,
) -> int:
    """What the record from `at` to `end` is; -1 - level if the level's slots are used up."""
    depth = 0
    node, index = 0, record
    holds = PLAIN
    dense = True  # no white space
    while True:
        # A value begins here, or white space before it.
        start = at
        at = behind_space(text, at, end)
        dense &= at == start
        if at >= end:
            return NEEDS_CARE
        row = node * OF_NODE
        kind = number(nodes, row + KIND)
        slot = number(nodes, row + SLOTS) + index
        if number(slots, slot) != 0:  # the member came before
            return NEEDS_CARE
        char = byte(text, at)
        opened = False
        if kind == OBJECT and char == _OPENING[OBJECT]:
            opened = True
            put_number(slots, slot, 1)
        elif kind == LIST and char == _OPENING[LIST]:
            opened = True
            first = number(levels, number(nodes, row + END) * OF_LEVEL + COUNT)
            put_number(slots, slot, (first + 1) << LENGTH_BITS)
        elif char == NULL:
            at = behind_null(text, at, end)
            if at < 0 or depth == 0 or _is_item(depth, stack, nodes):
                return NEEDS_CARE
        elif char == QUOTE and (kind == TEXTUAL or (kind == ANY and any_value)):
            start = at + 1
            at, length, inside = string(text, start, end)
            if at < 0:
                return NEEDS_CARE
            holds = max(holds, inside)
            found = ((start + 1) << LENGTH_BITS) | length
            put_number(slots, slot, found if inside == PLAIN else -found)
        elif kind == INTEGER:
            at, value = integer(text, at, end)
            if at < 0 or value >> number(nodes, row + BITS) not in (0, -1):
                return NEEDS_CARE
            put_number(slots, slot, 1)
            put_number(slots, number(nodes, row + NUMBERS) + index, value)
        elif kind == ANY and any_value:
            start = at
            at = behind_value(text, at, end)
            put_number(slots, slot, ((start + 1) << LENGTH_BITS) | (at - start))
        else:
            return NEEDS_CARE
        if opened:
            top = depth * _OF_STACK
            put_number(stack, top + _OUTER, node)
            put_number(stack, top + _INDEX, index)
            put_number(stack, top + _BEFORE, -1)
            depth += 1
            at += 1

        # On to the next value, out of all that ends here.
        while True:
            start = at
            at = behind_space(text, at, end)
            dense &= at == start
            if depth == 0:
                if at < end:
                    return NEEDS_CARE
                return AS_WRITTEN if dense and holds != OTHER_ESCAPES else AS_DOCUMENTED
            if at >= end:
                return NEEDS_CARE
            top = (depth - 1) * _OF_STACK
            outer = number(stack, top + _OUTER) * OF_NODE
            in_list = number(nodes, outer + KIND) == LIST
            if byte(text, at) == (_CLOSING[LIST] if in_list else _CLOSING[OBJECT]):
                if in_list:
                    count = number(levels, number(nodes, outer + END) * OF_LEVEL + COUNT)
                    slot = number(nodes, outer + SLOTS) + number(stack, top + _INDEX)
                    first = (number(slots, slot) >> LENGTH_BITS) - 1
                    put_number(slots, slot, number(slots, slot) | (count - first))
                depth -= 1
                at += 1
                opened = False
                continue
            if not opened:
                if byte(text, at) != COMMA:
                    return NEEDS_CARE
                start = at + 1
                at = behind_space(text, start, end)
                dense &= at == start
            break
        if in_list:
            level = number(nodes, outer + END)
            node = number(nodes, outer + FIRST)
            index = number(levels, level * OF_LEVEL + COUNT)
            if index == number(levels, level * OF_LEVEL + CAPACITY):
                return -1 - level
            put_number(levels, level * OF_LEVEL + COUNT, index + 1)
        else:
            member = _member(
                text, at, end, number(stack, top + _BEFORE), nodes + 8 * outer, members
            )
            if member < 0:
                return NEEDS_CARE
            put_number(stack, top + _BEFORE, member)
            start = at + number(members, member * OF_MEMBER + LENGTH)
            at = behind_space(text, start, end)
            dense &= at == start
            if at >= end or byte(text, at) != COLON:
                return NEEDS_CARE
            at += 1
            node = number(members, member * OF_MEMBER + NODE)
            index = number(stack, top + _INDEX)


@compiled
def _is_item(depth: int, stack: int, nodes: int) -> bool:
    """Whether the value at hand is an item of a list."""
    outer = number(stack, (depth - 1) * _OF_STACK + _OUTER)
    return number(nodes, outer * OF_NODE + KIND) == LIST


@compiled
def _member(text: int, at: int, end: int, before: int, outer: int, members: int) -> int:
    """The member whose name stands here, in the object whose row is at `outer`, behind the member
    `before` or, if that is -1, as its first; -1 if it is none of its members."""
    guess = number(outer, GUESS) if before < 0 else number(members, before * OF_MEMBER + NEXT)
    if _named(text, at, end, guess, members):
        return guess
    for member in range(number(outer, FIRST), number(outer, END)):
        if _named(text, at, end, member, members):
            if before < 0:
                put_number(outer, GUESS, member)
            else:
                put_number(members, before * OF_MEMBER + NEXT, member)
            return member
    return -1


@compiled
def _named(text: int, at: int, end: int, member: int, members: int) -> bool:
    """Whether the member's name, in quotes, stands here."""
    row = members + 8 * member * OF_MEMBER
    length = number(row, LENGTH)
    name = row + 8 * NAME
    if at + length > end:
        return False
    if length < 8:
        for place in range(length):
            if byte(text, at + place) != byte(name, place):
                return False
        return True
    for place in range(0, length - 8, 8):
        if word(text, at + place) != word(name, place):
            return False
    return word(text, at + length - 8) == word(name, length - 8)
