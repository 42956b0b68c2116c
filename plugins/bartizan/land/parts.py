"""Cuts the text of a large object at record ends, so that memory holds a part of it decoded.

Only JSON lines are cut: between two lines that are a JSON object each, which no record can hold.
Text in any other framing stays whole.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from bartizan.land.chunk import ObjectText

_TRIES = 100  # lines looked at for a record end, before the text goes on uncut for another part


def parts(item: ObjectText, part_bytes: int) -> Iterator[ObjectText]:
    """The object's text in order, at least one part, of about `part_bytes` each.

    What is wrong with the object is wrong with the end of its text: the last part has the problem.
    """
    start = 0
    for target in range(part_bytes, len(item.text), part_bytes):
        end = _record_end(item.text, target)
        if end > start:
            yield ObjectText(item.uri, item.text[start:end], start=start)
            start = end
    yield ObjectText(item.uri, item.text[start:], item.problem, start)


def _record_end(text: bytes, position: int) -> int:
    """The first place from `position` on where one record ends and another begins; 0 if none."""
    before = text.rfind(b"\n", 0, position) + 1
    end = text.find(b"\n", position) + 1
    for _ in range(_TRIES):
        after = text.find(b"\n", end) + 1
        if not end or not after:
            return 0
        if _is_object(text[before:end]) and _is_object(text[end:after]):
            return end
        before, end = end, after
    return 0


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(msgspec.json.decode(line), dict)
    except (msgspec.DecodeError, RecursionError):
        return False
