"""Rows of waf.quarantine: what could not become a request, with its place and the reason."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import pyarrow as pa

from bartizan.lake.schemas import QUARANTINE
from bartizan.land.scrub import scrub_text

RAW_CHARACTERS = 4096
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


@dataclass(frozen=True, order=True)
class Quarantined:
    """A piece of an object that was set aside: byte offset and length in its text."""

    source_object: str
    source_offset: int
    length: int
    reason: str
    raw: str = ""


def quarantined(source_object: str, offset: int, raw: bytes, reason: str) -> Quarantined:
    """Set `raw` aside; the first 4,096 characters are kept, control characters escaped."""
    text = raw[: 4 * RAW_CHARACTERS].decode(errors="backslashreplace")
    shown = escape(scrub_text(text))[:RAW_CHARACTERS]
    return Quarantined(source_object, offset, len(raw), escape(reason), shown)


def escape(text: str) -> str:
    """Control characters and line separators as visible escapes: safe in a log or terminal."""
    return _CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def table(entries: Sequence[Quarantined], batch_id: str) -> pa.Table:
    """The entries as rows of waf.quarantine."""
    rows = [asdict(entry) | {"batch_id": batch_id} for entry in entries]
    return pa.Table.from_pylist(rows, schema=QUARANTINE)
