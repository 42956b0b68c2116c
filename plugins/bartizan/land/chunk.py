"""From the texts of some objects to the records in them, ready to be decoded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from bartizan.land.framing import SHORTEST_RECORD, Frames, Ints, Piece, cut_out, lines, spans
from bartizan.land.origin import origin
from bartizan.land.quarantine import Quarantine, Quarantined
from bartizan.land.redact import NO_KEY, Redaction
from bartizan.land.redact_rows import redact_extra
from bartizan.land.screen import Mended, Screened, screen
from bartizan.land.unwrap import MARK, unwrap

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
    records and pieces set aside each object has, by URI.
    """

    parts: list[pa.Table]
    quarantined: list[Quarantined]
    framed: Counter[str]


def read_chunk(objects: Sequence[ObjectText], redaction: Redaction = NO_KEY) -> Records:
    """All records of the objects. Those that are not JSON lines are framed again, with care."""
    frames = lines([b"" if item.problem else item.text for item in objects])
    screened = screen(frames, give_up=True)
    broken = {index for index, item in enumerate(objects) if item.problem}
    broken |= {int(frames.item[index]) for index in screened.malformed}
    broken |= {int(frames.item[i]) for i in screened.refused if MARK in frames.raw(i)}
    parts = [_Part(objects, frames, screened, without=broken)]
    quarantine = Quarantine(redaction)
    if broken:
        again = cut_out(list(_frame_again(objects, sorted(broken), quarantine)))
        parts.append(_Part(objects, again, screen(again)))
    # Counted where records are found, not from what became of them: the account compares the two.
    framed = Counter(quarantine.pieces)
    for part in parts:
        framed.update(part.framed())
        part.set_aside(quarantine)
    framed.subtract(quarantine.merged())
    return Records([part.rows(redaction) for part in parts], quarantine.entries(), framed)


def _frame_again(
    objects: Sequence[ObjectText], broken: Iterable[int], quarantine: Quarantine
) -> Iterator[Piece]:
    """What seems to be a record; the rest is set aside."""
    for index in broken:
        item = objects[index]
        explained = not item.problem
        for span in spans(item.text):
            raw = item.text[span.start : span.end]
            reason = span.problem
            if not reason and len(raw) < SHORTEST_RECORD:
                reason = "too short for a log record"
            if not reason:
                yield from (Piece(index, span.start, record) for record in unwrap(raw))
                continue
            if item.problem and span.end == len(item.text):
                reason, explained = f"{item.problem}: {reason}", True
            quarantine.add(item.uri, item.start + span.start, raw, reason)
        if not explained:
            quarantine.add(item.uri, item.start + len(item.text), b"", item.problem)


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

    def framed(self) -> Counter[str]:
        """How many records each object has."""
        items = np.bincount(self._frames.item[self._kept], minlength=len(self._objects))
        counts: Counter[str] = Counter()
        for one, records in zip(self._objects, items.tolist(), strict=True):
            counts[one.uri] += records
        return counts

    def set_aside(self, quarantine: Quarantine) -> None:
        """The pieces that are no log records."""
        for index, reason in (self._screened.malformed | self._screened.refused).items():
            if self._kept[index]:
                uri = self._objects[self._frames.item[index]].uri
                raw = self._frames.raw(index).rstrip(b"\r\n")
                quarantine.add(uri, int(self._offset[index]), raw, reason)

    def rows(self, redaction: Redaction) -> pa.Table:
        """The log records."""
        chosen = self._in_order()
        mended = _in_rows(self._screened.mended, chosen)
        extra = [redact_extra(one.extra, redaction) or None for one in mended.values()]
        uris = [item.uri for item in self._objects]
        accounts, regions = zip(*map(origin, uris), strict=True)
        item = pa.array(self._frames.item[chosen])
        return pa.table(
            {
                "logged": self._frames.text(chosen),
                "clean": _at(mended, [one.clean for one in mended.values()], pa.string(), chosen),
                "extra": _at(mended, extra, _EXTRA, chosen),
                "event_ms": self._screened.event_ms[chosen],
                "record_hash": self._screened.identity[chosen],
                "source_object": pa.array(uris, pa.string()).take(item),
                "source_account": pa.array(accounts, pa.string()).take(item),
                "source_region": pa.array(regions, pa.string()).take(item),
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


def _at(rows: Iterable[int], values: list[Any], kind: pa.DataType, chosen: Ints) -> pa.Array:
    """The values at their rows, NULL in all others."""
    if not values:
        return pa.nulls(len(chosen), kind)
    spread: list[Any] = [None] * len(chosen)
    for row, value in zip(rows, values, strict=True):
        spread[row] = value
    return pa.array(spread, kind)
