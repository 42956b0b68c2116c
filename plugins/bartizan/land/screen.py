"""Sorts the records of a chunk: as documented, in need of care, or not log records at all."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np

from bartizan.land.framing import Frames, Ints
from bartizan.land.normalise import normalise, parse
from bartizan.land.shape import EARLIEST_MS, LATEST_MS, RECORD, strict_type

_DECODE = msgspec.json.Decoder(strict_type(RECORD)).decode
_REQUIRED = ("timestamp", "action", "webaclId")  # the first, and one of the others


@dataclass(frozen=True)
class Mended:
    """A record that needed care: its JSON before and after, and what has no column."""

    canonical: str
    clean: str
    extra: tuple[tuple[str, str], ...]  # path, JSON text


@dataclass
class Screened:
    """What became of each record of a chunk, by its index."""

    event_ms: Ints  # 0 where the record is malformed or refused
    webacl: Ints  # rank of its web ACL's id among those of the chunk
    mended: dict[int, Mended] = field(default_factory=dict)
    malformed: dict[int, str] = field(default_factory=dict)  # not one JSON object: why
    refused: dict[int, str] = field(default_factory=dict)  # an object, not a log record: why


def screen(frames: Frames) -> Screened:
    """Check every record against the documented shape; mend those that differ."""
    view = memoryview(frames.buffer)
    ends = (frames.start + frames.length).tolist()
    found = Screened(np.empty(0, np.int64), np.empty(0, np.int64))
    event_ms = [0] * len(frames)
    webacl = [""] * len(frames)
    for index, (start, end) in enumerate(zip(frames.start.tolist(), ends, strict=True)):
        raw = view[start:end]
        try:
            record = _DECODE(raw)
            instant, action, acl = record.timestamp, record.action, record.webaclId
        except msgspec.DecodeError:
            clean = _mended(index, bytes(raw), found)
            if clean is None:
                continue
            instant, action, acl = (clean.get(name) for name in _REQUIRED)
        if not instant or not EARLIEST_MS <= instant < LATEST_MS:
            found.refused[index] = f"no usable timestamp: {instant}"
        elif action is None and acl is None:
            found.refused[index] = "neither action nor webaclId"
        else:
            event_ms[index] = instant
            webacl[index] = acl or ""
    rank = {name: position for position, name in enumerate(sorted(set(webacl)))}
    found.webacl = np.fromiter((rank[name] for name in webacl), np.int64, len(webacl))
    found.event_ms = np.array(event_ms, np.int64)
    return found


def _mended(index: int, raw: bytes, found: Screened) -> dict[str, Any] | None:
    """The record after mending, noted in `found`; None if it is not one JSON object."""
    parsed = parse(raw)
    if parsed is None:
        found.malformed[index] = _why_malformed(raw)
        return None
    clean, extra = normalise(parsed)
    found.mended[index] = Mended(_dump(parsed), _dump(clean), tuple(extra.items()))
    return clean


def _why_malformed(raw: bytes) -> str:
    try:
        value = msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError) as error:
        return f"not JSON: {error}"
    return f"a JSON {type(value).__name__}, not an object"


def _dump(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
