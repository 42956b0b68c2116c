"""Finds the records in the text of objects.

`lines` assumes JSON lines, in columns, for all objects at once. `spans` assumes nothing, for one
object: records may be concatenated, pretty-printed, in an array, separated by any line ending or
blank lines, behind a byte order mark or the time stamps of a CloudWatch Logs export, inside the
envelopes of a CloudWatch Logs subscription (land/unwrap.py), with damaged text between them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from bartizan.land.json_text import line_feeds
from bartizan.land.memory import address

SHORTEST_RECORD = 32  # bytes: a time, and an action or a web ACL

Ints = npt.NDArray[np.int64]
_NOTHING = np.empty(0, np.int64)

_BETWEEN = re.compile(rb"[\s,\[\]\x1e]+|\xef\xbb\xbf".decode("latin-1"))
_EXPORT_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z[ \t]+(?=\{)")
# Where to go on after damage: an object at the start of a line, or what looks like a record.
# Neither can occur inside a JSON string: line ends and quotes are escaped there.
_RECORD_START = re.compile(
    r'(?<=[\r\n])[ \t]*\{|\{\s*"(?:timestamp|formatVersion|webaclId|action)"'
)
GZIP_BASE64 = b"H4sI"  # how base64 of gzip begins
_GZIP_BASE64 = re.compile(r"H4sI[A-Za-z0-9+/]{20,}={0,2}")
_VALUE = json.JSONDecoder(strict=False, parse_int=str, parse_float=str)  # only its end is used
_LONGEST_TOKEN = 12  # bytes of an escape or a word that may be cut at the end of the text


@dataclass(frozen=True)
class Frames:
    """Records as slices of one buffer. All arrays have one element per record."""

    buffer: bytes
    start: Ints  # in the buffer
    length: Ints
    item: Ints  # which of the objects
    offset: Ints  # byte offset of the record in its text

    def __len__(self) -> int:
        return len(self.item)

    def raw(self, index: int) -> bytes:
        start = int(self.start[index])
        return self.buffer[start : start + int(self.length[index])]


@dataclass(frozen=True)
class Piece:
    """What seems to be a record: of which of the objects, from which byte offset of its text on."""

    item: int
    offset: int
    raw: bytes


@dataclass(frozen=True)
class Span:
    """A piece of an object's text: a record if `problem` is empty, else not.

    `cut` says that the text seems to end before the record does.
    """

    start: int
    end: int
    problem: str = ""
    cut: bool = False


def lines(texts: Sequence[bytes]) -> Frames:
    """Every line of every text as a record, blank ones included, without its line feed.

    A text whose lines are too short to be records is one line.
    """
    offsets: list[Ints] = []
    ends: list[Ints] = []
    for text in texts:
        end = _line_ends(text)
        offsets.append(np.append(0, end + 1)[: len(end)])
        ends.append(end)
    counts = list(map(len, ends))
    item = np.repeat(np.arange(len(texts)), counts)
    text_start = np.repeat(np.cumsum([0, *map(len, texts)])[:-1], counts)
    offset = np.concatenate([_NOTHING, *offsets])
    buffer = texts[0] if len(texts) == 1 else b"".join(texts)
    length = np.concatenate([_NOTHING, *ends]) - offset
    return Frames(buffer, text_start + offset, length, item, offset)


def _line_ends(text: bytes) -> Ints:
    """Where the lines of a text end, its end included if its last line does not."""
    most = len(text) // SHORTEST_RECORD + 2
    ends = np.empty(most, np.int64)
    count = line_feeds(address(np.frombuffer(text, np.uint8)), len(text), ends)
    if count == most:
        count = 0
    if len(text) > (ends[count - 1] + 1 if count else 0):
        ends[count] = len(text)
        count += 1
    return ends[:count]


def cut_out(pieces: Sequence[Piece]) -> Frames:
    """The given pieces as records."""
    length = np.array([len(piece.raw) for piece in pieces], np.int64)
    return Frames(
        buffer=b"".join(piece.raw for piece in pieces),
        start=np.cumsum(length) - length,
        length=length,
        item=np.array([piece.item for piece in pieces], np.int64),
        offset=np.array([piece.offset for piece in pieces], np.int64),
    )


def spans(text: bytes) -> Iterator[Span]:
    """Records and damage of one text, in order. All else between them is white space or commas."""
    # Latin-1 maps every byte to one character: offsets stay byte offsets, and JSON is ASCII.
    chars = text.decode("latin-1")
    position = _next(chars, 0)
    while position < len(chars):
        span = _value(chars, position)
        if span.problem:
            span = replace(span, end=_resume(chars, position))
        yield span
        position = _next(chars, span.end)


def _value(chars: str, start: int) -> Span:
    if packed := _GZIP_BASE64.match(chars, start):
        return Span(start, packed.end())
    if chars[start] != "{":
        return Span(start, start, "not a JSON object")
    try:
        _, end = _VALUE.raw_decode(chars, start)
    except json.JSONDecodeError as error:
        at_end = len(chars) - error.pos < _LONGEST_TOKEN
        cut = at_end or error.msg.startswith("Unterminated string")
        reason = error.msg.removesuffix(" at")
        return Span(start, start, f"{reason} at byte {error.pos - start}", cut)
    except (RecursionError, ValueError) as error:  # nested too deeply, integer of > 4,300 digits
        return Span(start, start, str(error))
    return Span(start, end)


def _next(chars: str, position: int) -> int:
    """Past what separates records."""
    while match := _BETWEEN.match(chars, position) or _EXPORT_TIME.match(chars, position):
        position = match.end()
    return position


def _resume(chars: str, position: int) -> int:
    match = _RECORD_START.search(chars, position + 1)
    return match.start() if match else len(chars)
