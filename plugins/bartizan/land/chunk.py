"""From the texts of some objects to the records in them, as rows of waf.requests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from bartizan.land.columns import Columns
from bartizan.land.decode import About, decode, in_order
from bartizan.land.framing import SHORTEST_RECORD, Frames, Ints, Piece, cut_out, lines, spans
from bartizan.land.identity import identities
from bartizan.land.locate import NEEDS_CARE
from bartizan.land.origin import origin
from bartizan.land.quarantine import Quarantine, Quarantined
from bartizan.land.redact import NO_KEY, Redaction
from bartizan.land.redact_rows import redact_extra
from bartizan.land.screen import Screened, screen
from bartizan.land.unwrap import MARK, unwrap

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

    `parts` are rows of waf.requests, each in order of hour, web ACL and time. `framed` is how many
    records and pieces set aside each object has, by URI.
    """

    parts: list[pa.Table]
    quarantined: list[Quarantined]
    framed: Counter[str]


def read_chunk(
    objects: Sequence[ObjectText],
    columns: Columns,
    batch_id: str,
    redaction: Redaction = NO_KEY,
) -> Records:
    """All records of the objects. Those that are not JSON lines are framed again, with care."""
    frames = lines([b"" if item.problem else item.text for item in objects])
    screened = screen(frames, columns, give_up=True)
    broken = {index for index, item in enumerate(objects) if item.problem}
    broken |= {int(frames.item[index]) for index in screened.malformed}
    broken |= {int(frames.item[i]) for i in screened.refused if MARK in frames.raw(i)}
    framings = [_Framing(objects, frames, screened, without=broken)]
    parts = framings[0].rows(columns, batch_id, redaction)
    quarantine = Quarantine(redaction)
    if broken:
        again = cut_out(list(_frame_again(objects, sorted(broken), quarantine)))
        framings.append(_Framing(objects, again, screen(again, columns)))
        parts += framings[1].rows(columns, batch_id, redaction)
    # Counted where records are found, not from what became of them: the account compares the two.
    framed = Counter(quarantine.pieces)
    for framing in framings:
        framed.update(framing.framed())
        framing.set_aside(quarantine)
    framed.subtract(quarantine.merged())
    return Records([part for part in parts if len(part)], quarantine.entries(), framed)


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


class _Framing:
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

    def rows(self, columns: Columns, batch_id: str, redaction: Redaction) -> list[pa.Table]:
        """Rows of waf.requests: of the records as documented, which `columns` holds, and of those
        that were mended, which it holds afterwards.
        """
        verdict = self._screened.verdict
        chosen = np.flatnonzero(self._kept & (verdict != NEEDS_CARE))
        rows, webacl = in_order(columns, chosen)
        about = self._about(rows, webacl, pa.nulls(len(rows), _EXTRA))
        parts = [decode(columns, rows, about, batch_id, redaction)]
        mended = {i: one for i, one in self._screened.mended.items() if self._kept[i]}
        if mended:
            clean = cut_out([Piece(0, 0, one.clean) for one in mended.values()])
            assert (columns.read(clean, any_value=True) != NEEDS_CARE).all(), "mended badly"
            rows, webacl = in_order(columns, np.arange(len(clean)))
            extra = [redact_extra(one.extra, redaction) or None for one in mended.values()]
            chosen = np.array(list(mended))[rows]
            about = self._about(chosen, webacl, pa.array(extra, _EXTRA).take(rows))
            parts.append(decode(columns, rows, about, batch_id, redaction))
        return parts

    def _about(self, chosen: Ints, webacl: pa.DictionaryArray, extra: pa.Array) -> About:
        """What is known of the records beside their columns."""
        uris = [item.uri for item in self._objects]
        accounts, regions = zip(*map(origin, uris), strict=True)
        item = pa.array(self._frames.item[chosen])
        return About(
            webacl=webacl,
            extra=extra,
            record_hash=identities(self._frames, chosen, self._screened.verdict, webacl),
            source_object=pa.array(uris, pa.string()).take(item),
            source_account=pa.array(accounts, pa.string()).take(item),
            source_region=pa.array(regions, pa.string()).take(item),
            source_offset=self._offset[chosen],
        )
