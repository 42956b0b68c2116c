"""From the texts of some objects to the records in them, ready to be decoded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from bartizan.land.framing import Frames, Ints, Span, cut_out, lines, spans
from bartizan.land.quarantine import Quarantined, quarantined
from bartizan.land.screen import Mended, Screened, screen

_HOUR_MS = 3_600_000
_EXTRA = pa.map_(pa.string(), pa.string())


@dataclass(frozen=True)
class ObjectText:
    """Text of an object, or a part of it from byte `start` on.

    `problem` says why it may not be all of it.
    """

    uri: str
    text: bytes
    problem: str = ""
    start: int = 0


@dataclass(frozen=True)
class Records:
    """What a chunk holds.

    `parts` are tables for decode(), each in order of hour, web ACL and time. `framed` is how many
    records and damaged pieces each object has, by URI.
    """

    parts: list[pa.Table]
    quarantined: list[Quarantined]
    framed: dict[str, int]


def read_chunk(objects: Sequence[ObjectText]) -> Records:
    """All records of the objects. Those that are not JSON lines are framed again, with care."""
    texts = [item.text for item in objects]
    frames = lines(texts)
    screened = screen(frames)
    broken = {int(frames.item[index]) for index in screened.malformed}
    broken |= {index for index, item in enumerate(objects) if item.problem}
    parts = [_Part(objects, frames, screened, without=broken)]
    damage: list[Quarantined] = []
    if broken:
        pieces, damage = _frame_again(objects, sorted(broken))
        again = cut_out(texts, pieces)
        parts.append(_Part(objects, again, screen(again)))

    framed = {item.uri: 0 for item in objects}
    for part in parts:
        for item in part.items():
            framed[objects[item].uri] += 1
    for entry in damage:
        framed[entry.source_object] += 1
    set_aside = [*damage, *(entry for part in parts for entry in part.set_aside())]
    return Records([part.rows() for part in parts], sorted(set_aside), framed)


def _frame_again(
    objects: Sequence[ObjectText], broken: Iterable[int]
) -> tuple[list[tuple[int, Span]], list[Quarantined]]:
    pieces: list[tuple[int, Span]] = []
    damage: list[Quarantined] = []
    for index in broken:
        item = objects[index]
        explained = not item.problem
        for span in spans(item.text):
            if not span.problem:
                pieces.append((index, span))
                continue
            reason = span.problem
            if item.problem and span.end == len(item.text):
                reason, explained = f"{item.problem}: {reason}", True
            raw = item.text[span.start : span.end]
            damage.append(quarantined(item.uri, item.start + span.start, raw, reason))
        if not explained:
            end = item.start + len(item.text)
            damage.append(quarantined(item.uri, end, b"", item.problem))
    return pieces, damage


class _Part:
    """The screened records of one framing, those of the objects `without` left out."""

    def __init__(
        self,
        objects: Sequence[ObjectText],
        frames: Frames,
        screened: Screened,
        without: Iterable[int] = (),
    ) -> None:
        self._objects, self._frames, self._screened = objects, frames, screened
        self._kept = ~np.isin(frames.item, list(without))
        starts = np.array([item.start for item in objects], np.int64)
        self._offset = starts[frames.item] + frames.offset

    def items(self) -> Iterator[int]:
        """The object of each record."""
        return iter(self._frames.item[self._kept].tolist())

    def set_aside(self) -> Iterator[Quarantined]:
        """The pieces that are no log records."""
        for index, reason in (self._screened.malformed | self._screened.refused).items():
            if self._kept[index]:
                uri = self._objects[self._frames.item[index]].uri
                raw = self._frames.raw(index).rstrip(b"\r\n")
                yield quarantined(uri, int(self._offset[index]), raw, reason)

    def rows(self) -> pa.Table:
        """The log records."""
        chosen = self._in_order()
        mended = _in_rows(self._screened.mended, chosen)
        uris = pa.array([item.uri for item in self._objects], pa.string())
        return pa.table(
            {
                "logged": self._frames.text(chosen),
                "canonical": _column(mended, len(chosen), "canonical", pa.string()),
                "clean": _column(mended, len(chosen), "clean", pa.string()),
                "extra": _column(mended, len(chosen), "extra", _EXTRA),
                "event_ms": self._screened.event_ms[chosen],
                "source_object": uris.take(pa.array(self._frames.item[chosen])),
                "source_offset": self._offset[chosen],
            }
        )

    def _in_order(self) -> Ints:
        """Indices of the log records: sorting them here, as text, is cheaper than as columns."""
        chosen = np.flatnonzero(self._kept & (self._screened.event_ms > 0))
        event_ms, webacl = self._screened.event_ms[chosen], self._screened.webacl[chosen]
        return chosen[np.lexsort((event_ms, webacl, event_ms // _HOUR_MS))]


def _in_rows(mended: dict[int, Mended], chosen: Ints) -> dict[int, Mended]:
    """The mended records by row instead of by index."""
    if not mended:
        return {}
    return {row: mended[index] for row, index in enumerate(chosen.tolist()) if index in mended}


def _column(mended: dict[int, Mended], size: int, member: str, kind: pa.DataType) -> pa.Array:
    """One member of the mended records; NULL in all other rows."""
    if not mended:
        return pa.nulls(size, kind)
    values: list[object] = [None] * size
    for row, record in mended.items():
        values[row] = getattr(record, member) or None
    return pa.array(values, kind)
