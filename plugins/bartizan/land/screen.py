"""Sorts the records of a chunk: as documented, in need of care, or not log records at all."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bartizan.land.columns import Columns
from bartizan.land.framing import Frames, Ints
from bartizan.land.identity import compact
from bartizan.land.locate import NEEDS_CARE
from bartizan.land.normalise import normalise, parse
from bartizan.land.shape import EARLIEST_MS, LATEST_MS


@dataclass(frozen=True)
class Mended:
    """A record that needed care: its JSON in the documented shape, and what has no column."""

    clean: bytes
    extra: tuple[tuple[str, str], ...]  # path, JSON text


@dataclass
class Screened:
    """What became of each record of a chunk, by its index."""

    verdict: Ints  # of land/locate.py; NEEDS_CARE for those below
    mended: dict[int, Mended] = field(default_factory=dict)
    malformed: dict[int, str] = field(default_factory=dict)  # not one JSON object: why
    refused: dict[int, str] = field(default_factory=dict)  # an object, not a log record: why


def screen(frames: Frames, columns: Columns, give_up: bool = False) -> Screened:
    """Read all records into `columns` and mend those that are not as documented.

    With `give_up`, the rest of an object is left alone after its first malformed record: for an
    object that is framed anew in that case.
    """
    verdict = columns.read(frames)
    event_ms = columns.integers("timestamp")
    usable = (event_ms >= EARLIEST_MS) & (event_ms < LATEST_MS)
    usable &= columns.given("action") | columns.given("webaclId")
    verdict[~usable] = NEEDS_CARE
    found = Screened(verdict)
    given_up = -1
    for index in np.flatnonzero(verdict == NEEDS_CARE).tolist():
        if frames.item[index] == given_up:
            continue
        try:
            record = parse(frames.raw(index))
        except ValueError as error:
            found.malformed[index] = str(error)
            given_up = int(frames.item[index]) if give_up else given_up
            continue
        clean, extra = normalise(record)
        reason = _refusal(clean)
        if reason:
            found.refused[index] = reason
        else:
            found.mended[index] = Mended(compact(clean).encode(), tuple(extra.items()))
    return found


def _refusal(clean: dict[str, Any]) -> str:
    """Why it is not a log record; empty if it is one."""
    instant = clean.get("timestamp")
    if not instant or not EARLIEST_MS <= instant < LATEST_MS:
        return f"no usable timestamp: {instant}"
    if clean.get("action") is None and clean.get("webaclId") is None:
        return "neither action nor webaclId"
    return ""
