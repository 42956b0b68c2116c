"""Compiled steps through JSON text (RFC 8259). Each takes a position and returns the one behind
what it read, or -1 where the text is not that.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from bartizan.compiled import compiled
from bartizan.land.memory import byte, lowest_bit, put_byte, put_word, word

QUOTE, COMMA, MINUS, POINT, ZERO, NINE, COLON, BACKSLASH = (ord(one) for one in '",-.09:\\')
ESCAPED_UNICODE, SLASH, NULL = ord("u"), ord("/"), ord("n")
MOST_DIGITS = 18  # of an integer that is read here; no 64 bits overflow

_SPACE = (32, 10, 13, 9)
_LONGEST_ESCAPE = 12  # bytes

PLAIN, ESCAPES, OTHER_ESCAPES = range(3)  # what a string holds; the last may be written otherwise

_OPENINGS, _CLOSINGS = (ord("{"), ord("[")), (ord("}"), ord("]"))

_EACH = np.uint64(0x0101010101010101)  # times a byte: the word of eight of it
_HIGH = np.uint64(0x80) * _EACH
_SPACES = np.uint64(0x20) * _EACH
LINE_FEED = 10
_QUOTES = np.uint64(QUOTE) * _EACH
_BACKSLASHES = np.uint64(BACKSLASH) * _EACH
_NULL = tuple(b"null")
_SHORT = np.zeros(256, np.uint8)  # what a letter behind a backslash stands for
for _letter, _meant in zip(b'"\\/bfnrt', b'"\\/\b\f\n\r\t', strict=True):
    _SHORT[_letter] = _meant


@compiled
def next_byte(text: int, at: int, end: int, wanted: int) -> int:
    """Where the next byte of this value is; `end` if there is none."""
    wanted_each = np.uint64(wanted) * _EACH
    while at < end:
        if at + 8 <= end:
            other = word(text, at) ^ wanted_each
            found = (other - _EACH) & ~other & _HIGH
            if not found:
                at += 8
                continue
            at += lowest_bit(found) >> 3
        if byte(text, at) == wanted:
            return at
        at += 1
    return end


@compiled
def line_feeds(text: int, size: int, places: Any) -> int:
    """Note where the line feeds of a text are, as many as `places` can hold; how many are noted."""
    count = 0
    at = next_byte(text, 0, size, LINE_FEED)
    while at < size and count < len(places):
        places[count] = at
        count += 1
        at = next_byte(text, at + 1, size, LINE_FEED)
    return count


@compiled
def behind_space(text: int, at: int, end: int) -> int:
    """Past white space; never -1."""
    while at < end:
        char = byte(text, at)
        if char > 32 or char not in _SPACE:
            break
        at += 1
    return at


@compiled
def behind_null(text: int, at: int, end: int) -> int:
    """Past the word null."""
    if at + 4 > end:
        return -1
    for place in range(4):
        if byte(text, at + place) != _NULL[place]:
            return -1
    return at + 4


@compiled
def integer(text: int, at: int, end: int) -> tuple[int, int]:
    """Past an integer of at most 18 digits, and the integer."""
    sign = 1
    if byte(text, at) == MINUS:
        sign = -1
        at += 1
    start = at
    number = 0
    while at < end:
        digit = byte(text, at) - ZERO
        if digit < 0 or digit > 9:
            break
        number = number * 10 + digit
        at += 1
        if at - start > MOST_DIGITS:
            return -1, 0
    if at == start or (at - start > 1 and byte(text, start) == ZERO):
        return -1, 0
    return at, sign * number


@compiled
def string(text: int, at: int, end: int) -> tuple[int, int, int]:
    """From behind its first quote to past its last: the position, the bytes of UTF-8 that the
    string stands for, and what it holds. Strict: no control characters, only whole characters.
    """
    start = at
    saved = 0
    holds = PLAIN
    while True:
        at = _next_special(text, at, end)
        if at >= end:
            return -1, 0, holds
        char = byte(text, at)
        if char == QUOTE:
            return at + 1, at - start - saved, holds
        if char >= 0x80:
            size = _utf8_size(text, at, end)
            if size == 0:
                return -1, 0, holds
            at += size
        elif char == BACKSLASH:
            size, code = escape(text, at, end)
            if size == 0:
                return -1, 0, holds
            other = byte(text, at + 1) == ESCAPED_UNICODE or byte(text, at + 1) == SLASH
            holds = max(holds, OTHER_ESCAPES if other else ESCAPES)
            saved += size - utf8_size_of(code)
            at += size
        elif char < 32:
            return -1, 0, holds
        else:
            at += 1


@compiled
def behind_value(text: int, at: int, end: int) -> int:
    """Past an object, list, number or word of text that is known to be JSON."""
    depth = 0
    while at < end:
        char = byte(text, at)
        if char == QUOTE:
            at, _, _ = string(text, at + 1, end)
            continue
        if char == COMMA and depth == 0:
            break
        if char in _OPENINGS:
            depth += 1
        elif char in _CLOSINGS:
            depth -= 1
            if depth < 0:
                break
        at += 1
    return at


@compiled
def _next_special(text: int, at: int, end: int) -> int:
    """The next quote, backslash, control character or byte above ASCII, if not the last seven."""
    while at + 8 <= end:
        eight = word(text, at)
        quote = eight ^ _QUOTES
        backslash = eight ^ _BACKSLASHES
        # The lowest high bit set marks the first byte that is 0 after the exclusive or (below 32
        # for the third term): a borrow can only mark bytes behind it.
        found = ((quote - _EACH) & ~quote) | ((backslash - _EACH) & ~backslash)
        found |= ((eight - _SPACES) & ~eight) | eight
        found &= _HIGH
        if found:
            at += lowest_bit(found) >> 3
            break
        at += 8
    return at


@compiled
def _utf8_size(text: int, at: int, end: int) -> int:
    """Bytes of the well-formed UTF-8 sequence (Unicode 3.9, table 3-7) at a byte above ASCII; 0 if
    it is none."""
    first = byte(text, at)
    size = 2 if first < 0xE0 else 3 if first < 0xF0 else 4
    if first < 0xC2 or first > 0xF4 or at + size > end:
        return 0
    low = 0xA0 if first == 0xE0 else 0x90 if first == 0xF0 else 0x80
    high = 0x9F if first == 0xED else 0x8F if first == 0xF4 else 0xBF
    second = byte(text, at + 1)
    if second < low or second > high:
        return 0
    for later in range(at + 2, at + size):
        if byte(text, later) & 0xC0 != 0x80:
            return 0
    return size


@compiled
def escape(text: int, at: int, end: int) -> tuple[int, int]:
    """Bytes of the escape sequence at a backslash, two for a surrogate pair, and the code point
    that it stands for; 0 bytes if it is none or a lone surrogate."""
    if at + 1 < end and byte(text, at + 1) != ESCAPED_UNICODE:
        meant = _SHORT[byte(text, at + 1)]
        return (2 if meant else 0), meant
    code = _escaped_unit(text, at, end)
    if code < 0 or 0xDC00 <= code < 0xE000:
        return 0, 0
    if code < 0xD800 or code > 0xDFFF:
        return 6, code
    low = _escaped_unit(text, at + 6, end)
    if low < 0xDC00 or low > 0xDFFF:
        return 0, 0
    return 12, 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00)


@compiled
def _escaped_unit(text: int, at: int, end: int) -> int:
    """The UTF-16 code unit that six characters such as \\u00e9 stand for, -1 if they do not."""
    if at + 6 > end or byte(text, at) != BACKSLASH or byte(text, at + 1) != ESCAPED_UNICODE:
        return -1
    unit = 0
    for place in range(at + 2, at + 6):
        char = byte(text, place)
        if ZERO <= char <= NINE:
            digit = char - ZERO
        elif 97 <= char | 32 <= 102:
            digit = (char | 32) - 87
        else:
            return -1
        unit = unit * 16 + digit
    return unit


@compiled
def utf8_size_of(code: int) -> int:
    """Bytes of a code point in UTF-8."""
    if code < 0x80:
        return 1
    if code < 0x800:
        return 2
    return 3 if code < 0x10000 else 4


@compiled
def copy_plain(text: int, start: int, length: int, out: int, to: int) -> None:
    """Copy bytes."""
    if length < 8:
        for place in range(length):
            put_byte(out, to + place, byte(text, start + place))
        return
    for place in range(0, length - 8, 8):
        put_word(out, to + place, word(text, start + place))
    last = length - 8
    put_word(out, to + last, word(text, start + last))


@compiled
def copy_unescaped(text: int, start: int, length: int, out: int, to: int) -> None:
    """Copy the `length` bytes that a string with escapes stands for."""
    stop = to + length
    at = start
    while to < stop:
        char = byte(text, at)
        if char != BACKSLASH:
            put_byte(out, to, char)
            to += 1
            at += 1
            continue
        size, code = escape(text, at, at + _LONGEST_ESCAPE)
        at += size
        if code < 0x80:
            put_byte(out, to, code)
            to += 1
            continue
        size = utf8_size_of(code)
        bits = 6 * (size - 1)
        put_byte(out, to, (0xFF00 >> size) & 0xFF | code >> bits)  # a one for each byte first
        to += 1
        while bits > 0:
            bits -= 6
            put_byte(out, to, 0x80 | (code >> bits) & 0x3F)
            to += 1
