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
    DEEPEST,
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
    ROW_OF_MEMBER,
    ROW_OF_NODE,
    SLOTS,
    TEXTUAL,
)

NEEDS_CARE, AS_DOCUMENTED, AS_WRITTEN = range(3)  # of a record; the last: by AWS WAF, byte for byte

COUNT, WHOLE, CAPACITY = range(3)  # columns of the table of levels: values, those of whole records
OF_LEVEL = 3

LENGTH_BITS = 31  # of a slot; above them is where a text starts, or which item of a list is first

_OPENING = (ord("{"), ord("["))
_CLOSING = (ord("}"), ord("]"))
# Of an object or list on the stack: address of its node's row, number of its value, last member.
_OUTER, _INDEX, _BEFORE = range(3)
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
    the number of its first item and their count; any other number of an object or integer.
    """
    stack = np.empty(DEEPEST * _OF_STACK, np.int64)
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
def _record(  # noqa: PLR0911, PLR0912, PLR0915 - one loop; a call for each step would cost as much
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
    nullable = False
    holds, dense = PLAIN, True  # in strings; no white space between values
    while True:
        # A value begins here, or white space before it.
        start = at
        at = behind_space(text, at, end)
        dense &= at == start
        row = nodes + node * ROW_OF_NODE
        slot = number(row, SLOTS) + index
        if at >= end or number(slots, slot) != 0:  # or the member came before
            return NEEDS_CARE
        kind = number(row, KIND)
        opened = kind <= LIST and byte(text, at) == _OPENING[kind]
        if opened:
            first = number(levels, number(row, END) * OF_LEVEL + COUNT) if kind == LIST else 0
            put_number(slots, slot, (first + 1) << LENGTH_BITS)
            top = depth * _OF_STACK
            put_number(stack, top + _OUTER, row)
            put_number(stack, top + _INDEX, index)
            put_number(stack, top + _BEFORE, -1)
            depth += 1
            at += 1
        elif nullable and byte(text, at) == NULL:
            at = behind_null(text, at, end)
        else:
            at, inside = _leaf(text, at, end, any_value, row, index, slots)
            holds = max(holds, inside)
        if at < 0:
            return NEEDS_CARE

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
            outer, index = number(stack, top + _OUTER), number(stack, top + _INDEX)
            kind = number(outer, KIND)
            if byte(text, at) != _CLOSING[kind]:
                break
            if kind == LIST:
                count = number(levels, number(outer, END) * OF_LEVEL + COUNT)
                slot = number(outer, SLOTS) + index
                before = number(slots, slot)
                put_number(slots, slot, before | (count + 1 - (before >> LENGTH_BITS)))
            depth -= 1
            at += 1
            opened = False
        if not opened:
            if byte(text, at) != COMMA:
                return NEEDS_CARE
            start = at + 1
            at = behind_space(text, start, end)
            dense &= at == start
        nullable = kind == OBJECT
        if kind == LIST:
            level = number(outer, END)
            node, index = number(outer, FIRST), number(levels, level * OF_LEVEL + COUNT)
            if index == number(levels, level * OF_LEVEL + CAPACITY):
                return -1 - int(level)
            put_number(levels, level * OF_LEVEL + COUNT, index + 1)
            continue
        member = _member(text, at, end, number(stack, top + _BEFORE), outer, members)
        if member < 0:
            return NEEDS_CARE
        put_number(stack, top + _BEFORE, member)
        start = at + number(members + member * ROW_OF_MEMBER, LENGTH)
        at = behind_space(text, start, end)
        dense &= at == start
        if at >= end or byte(text, at) != COLON:
            return NEEDS_CARE
        at += 1
        node = number(members + member * ROW_OF_MEMBER, NODE)


@compiled
def _leaf(
    text: int, at: int, end: int, any_value: bool, row: int, index: int, slots: int
) -> tuple[int, int]:
    """Past a text or an integer, -1 where none stands; and what a text holds."""
    kind, slot = number(row, KIND), number(row, SLOTS) + index
    start = at
    if byte(text, at) == QUOTE and (kind == TEXTUAL or (kind == ANY and any_value)):
        start += 1
        at, length, inside = string(text, start, end)
        found = ((start + 1) << LENGTH_BITS) | length
        put_number(slots, slot, found if inside == PLAIN else -found)
        return at, inside
    if kind == INTEGER:
        at, value = integer(text, at, end)
        put_number(slots, slot, 1)
        put_number(slots, number(row, NUMBERS) + index, value)
        fits = value >> number(row, BITS) in (0, -1)
        return (at if fits else -1), PLAIN
    if kind == ANY and any_value:
        at = behind_value(text, at, end)
        put_number(slots, slot, ((start + 1) << LENGTH_BITS) | (at - start))
        return at, PLAIN
    return -1, PLAIN


@compiled
def _member(text: int, at: int, end: int, before: int, outer: int, members: int) -> int:
    """The member whose name stands here, in the object whose row is at `outer`, behind the member
    `before` or, if that is -1, as its first; -1 if it is none of its members."""
    guess = number(outer, GUESS) if before < 0 else number(members + before * ROW_OF_MEMBER, NEXT)
    if _named(text, at, end, members + guess * ROW_OF_MEMBER):
        return int(guess)
    for member in range(number(outer, FIRST), number(outer, END)):
        if _named(text, at, end, members + member * ROW_OF_MEMBER):
            if before < 0:
                put_number(outer, GUESS, member)
            else:
                put_number(members + before * ROW_OF_MEMBER, NEXT, member)
            return member
    return -1


@compiled
def _named(text: int, at: int, end: int, row: int) -> bool:
    """Whether the name of the member whose row is at `row` stands here, in quotes."""
    length = number(row, LENGTH)
    name = row + 8 * NAME
    if at + length > end:
        return False
    if length < 8:
        for place in range(length):  # noqa: SIM110 - all() is not compiled
            if byte(text, at + place) != byte(name, place):
                return False
        return True
    for place in range(0, length - 8, 8):
        if word(text, at + place) != word(name, place):
            return False
    return bool(word(text, at + length - 8) == word(name, length - 8))
