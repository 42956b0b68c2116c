"""Rows of waf.quarantine: what could not become a request, with its place and the reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

import pyarrow as pa

from bartizan.lake import Lake
from bartizan.lake.parquet import numbered
from bartizan.lake.schemas import QUARANTINE
from bartizan.lake.staged import staged_file
from bartizan.land.hour_files import write_file
from bartizan.land.redact import Redaction
from bartizan.model.text import inert

RAW_CHARACTERS = 4096
MOST_PIECES = 1000  # of one object in one chunk; what more there is becomes one entry


@dataclass(frozen=True, order=True)
class Quarantined:
    """A piece of an object that was set aside: byte offset and length in its text."""

    source_object: str
    source_offset: int
    length: int
    reason: str
    raw: str = ""


class Quarantine:
    """Collects what is set aside from a chunk."""

    def __init__(self, redaction: Redaction) -> None:
        self._redaction = redaction
        self._entries: list[Quarantined] = []
        self.pieces: Counter[str] = Counter()  # by object
        self._rest: dict[str, Quarantined] = {}  # from the first piece too many to the last

    def add(self, source_object: str, offset: int, raw: bytes, reason: str) -> None:
        """Set `raw` aside; the first 4,096 characters are kept, without credentials and with
        what cannot be seen written out.
        """
        self.pieces[source_object] += 1
        if self.pieces[source_object] <= MOST_PIECES:
            text = raw[: 4 * RAW_CHARACTERS].decode(errors="backslashreplace")
            clean = self._redaction.record_text(text)[:RAW_CHARACTERS]
            shown = inert(clean)[:RAW_CHARACTERS]
            entry = Quarantined(source_object, offset, len(raw), inert(reason), shown)
            self._entries.append(entry)
            return
        first = self._rest.setdefault(
            source_object, Quarantined(source_object, offset, len(raw), inert(reason))
        )
        start = min(first.source_offset, offset)
        end = max(first.source_offset + first.length, offset + len(raw))
        self._rest[source_object] = replace(first, source_offset=start, length=end - start)

    def merged(self) -> Counter[str]:
        """How many pieces of each object have no entry of their own."""
        return Counter({uri: self.pieces[uri] - MOST_PIECES - 1 for uri in self._rest})

    def entries(self) -> list[Quarantined]:
        """One entry per piece, in order; at most `MOST_PIECES` and one more of an object."""
        rest = [
            replace(
                entry,
                reason=f"{self.pieces[uri] - MOST_PIECES} more pieces here, such as: "
                + entry.reason,
            )
            for uri, entry in self._rest.items()
        ]
        return sorted([*self._entries, *rest])


def write_quarantine(lake: Lake, entries: Sequence[Quarantined], batch_id: str) -> None:
    """Write the entries as the file of waf.quarantine of a batch."""
    rows = [asdict(entry) | {"batch_id": batch_id} for entry in entries]
    schema = numbered(QUARANTINE, lake.table("waf.quarantine").schema())
    file = staged_file(lake, "waf.quarantine", batch_id)
    write_file(file, pa.Table.from_pylist(rows, schema=QUARANTINE), schema)
