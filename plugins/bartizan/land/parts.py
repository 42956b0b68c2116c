"""Cuts the text of a large object at record ends, so that memory holds a part of it at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from bartizan.land.chunk import ObjectText
from bartizan.land.framing import spans
from bartizan.land.inflate import Inflated

LARGEST_RECORD = 64 * 1024**2  # bytes
_TRIES = 100  # lines looked at for a record end


def parts(uri: str, pieces: Iterable[Inflated], part_bytes: int) -> Iterator[ObjectText]:
    """The object's text in order, at least one part, of about `part_bytes` each.

    What is wrong with the object is wrong with the end of its text: the last part has the problem.
    So has a part without a record end in more than `LARGEST_RECORD` bytes.
    """
    held: list[bytes] = []
    size, start, limit = 0, 0, part_bytes
    problem = ""
    for piece in pieces:
        if piece.text:  # joining one piece copies nothing
            held.append(piece.text)
        size += len(piece.text)
        problem = piece.problem
        if size < limit:
            continue
        text, rest = _cut(held)
        if text:
            yield ObjectText(uri, text, start=start)
        elif size > LARGEST_RECORD:
            text, rest = rest, b""
            yield ObjectText(uri, text, f"record is larger than {LARGEST_RECORD} bytes", start)
        held, size = [rest], len(rest)
        start += len(text)
        limit = size + part_bytes
    yield ObjectText(uri, b"".join(held), problem, start)


def _cut(held: list[bytes]) -> tuple[bytes, bytes]:
    """The text divided where one record ends and no other has begun; all of it is the rest if there
    is no such place.
    """
    last = held[-1]  # of JSON lines the end is enough
    end = lines_end(last)
    if end:
        return b"".join([*held[:-1], memoryview(last)[:end]]), last[end:]
    text = b"".join(held)
    end = lines_end(text) or spans_end(text)
    return text[:end], text[end:]


def lines_end(text: bytes) -> int:
    """The last place behind two lines that are a JSON object each, which no record can hold.

    0 if the text is not JSON lines.
    """
    end = text.rfind(b"\n") + 1
    for _ in range(_TRIES):
        middle = text.rfind(b"\n", 0, max(end - 1, 0)) + 1
        before = text.rfind(b"\n", 0, max(middle - 1, 0)) + 1
        if not middle:
            break
        if _is_object(text[before:middle]) and _is_object(text[middle:end]):
            return end
        end = middle
    return 0


def spans_end(text: bytes) -> int:
    """The end of the last record before the one that the end of the text may have cut."""
    if not text.strip():
        return len(text)
    end = 0
    for span in spans(text):
        if span.cut:
            break
        end = span.end if not span.problem else end
    return end


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(msgspec.json.decode(line), dict)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
