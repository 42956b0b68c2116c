"""Sorts the records of a chunk: as documented, in need of care, or not log records at all."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np

from bartizan.land.framing import Frames, Ints
from bartizan.land.identity import BYTES, as_numbers, compact, escaped, identity
from bartizan.land.normalise import normalise, parse
from bartizan.land.shape import EARLIEST_MS, LATEST_MS, RECORD, strict_type

_DECODE = msgspec.json.Decoder(strict_type(RECORD)).decode
_NOT_AS_DOCUMENTED = (msgspec.DecodeError, UnicodeDecodeError)  # the latter: encoded surrogates
_REQUIRED = ("timestamp", "action", "webaclId")  # the first, and one of the others


@dataclass(frozen=True)
class Mended:
    """A record that needed care: its JSON in the documented shape, and what has no column."""

    clean: str
    extra: tuple[tuple[str, str], ...]  # path, JSON text


@dataclass
class Screened:
    """What became of each record of a chunk, by its index."""

    event_ms: Ints  # 0 where the record is malformed or refused
    identity: Ints  # see land/identity.py
    webacl: Ints  # rank of its web ACL's id among those of the chunk
    mended: dict[int, Mended] = field(default_factory=dict)
    malformed: dict[int, str] = field(default_factory=dict)  # not one JSON object: why
    refused: dict[int, str] = field(default_factory=dict)  # an object, not a log record: why


def screen(frames: Frames, give_up: bool = False) -> Screened:
    """Check every record against the documented shape; mend those that differ.

    With `give_up`, the rest of an object is left alone after its first malformed record: for an
    object that is framed anew in that case.
    """
    ends = (frames.start + frames.length).tolist()
    none = np.empty(0, np.int64)
    found = Screened(none, none, none)
    event_ms = [0] * len(frames)
    identities = [bytes(BYTES)] * len(frames)
    webacl = [""] * len(frames)
    given_up = -1
    rewrite = escaped(frames.buffer)  # one search in all is quicker than one in each
    items = frames.item.tolist()
    for index, (start, end) in enumerate(zip(frames.start.tolist(), ends, strict=True)):
        if items[index] == given_up:
            continue
        raw = frames.buffer[start:end]
        try:
            record = _DECODE(raw)
            instant, action, acl = record.timestamp, record.action, record.webaclId
        except _NOT_AS_DOCUMENTED:
            clean = _mended(index, raw, found)
            if clean is None:
                given_up = items[index] if give_up else given_up
                continue
            instant, action, acl = (clean.get(name) for name in _REQUIRED)
        if not instant or not EARLIEST_MS <= instant < LATEST_MS:
            found.refused[index] = f"no usable timestamp: {instant}"
        elif action is None and acl is None:
            found.refused[index] = "neither action nor webaclId"
        else:
            event_ms[index] = instant
            identities[index] = identity(raw, rewrite and escaped(raw))
            webacl[index] = acl or ""
    rank = {name: position for position, name in enumerate(sorted(set(webacl)))}
    found.webacl = np.fromiter((rank[name] for name in webacl), np.int64, len(webacl))
    found.identity = as_numbers(identities)
    found.event_ms = np.array(event_ms, np.int64)
    return found


def _mended(index: int, raw: bytes, found: Screened) -> dict[str, Any] | None:
    """The record after mending, noted in `found`; None if it is not one JSON object."""
    try:
        parsed = parse(raw)
    except ValueError as error:
        found.malformed[index] = str(error)
        return None
    clean, extra = normalise(parsed)
    found.mended[index] = Mended(compact(clean), tuple(extra.items()))
    return clean
