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
        held.append(piece.text)
        size += len(piece.text)
        problem = piece.problem
        if size < limit:
            continue
        text = b"".join(held)
        end = record_end(text)
        if end:
            yield ObjectText(uri, text[:end], start=start)
        elif size > LARGEST_RECORD:
            end = size
            yield ObjectText(uri, text, f"record is larger than {LARGEST_RECORD} bytes", start)
        held = [text[end:]]
        size -= end
        start += end
        limit = size + part_bytes
    yield ObjectText(uri, b"".join(held), problem, start)


def record_end(text: bytes) -> int:
    """A place near the end of the text where one record ends and no other has begun; 0 if none.

    In JSON lines it is behind two lines that are a JSON object each, which no record can hold. Any
    other framing is read from the start.
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
