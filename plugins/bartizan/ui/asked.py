"""The selection that a request asks for."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Query

from bartizan.errors import UsageError
from bartizan.model.text import inert
from bartizan.model.window import DAY, Window, parse_time, written_window
from bartizan.store.detectors import load_detectors
from bartizan.ui.data.choices import dimensions_of
from bartizan.ui.data.stored import scored_connectors
from bartizan.ui.selection import MEASURE, Selection
from bartizan.ui.site import Here, HereDep

USUAL = 7 * DAY
LONGEST = 366 * DAY
EARLIEST = datetime(1971, 1, 1, tzinfo=UTC)  # that leaves room to go back
MOST_VALUES = 10


def selection(
    here: HereDep,
    window: str = "",
    picked: str = "",
    detector: str = "",
    measure: str = "",
    by: str = "",
    where: Annotated[tuple[str, ...], Query()] = (),
) -> Selection:
    """Of the parameters of a request; without a window the last seven days that were scored,
    without rows those of the dimension that most detectors have.

    Raises UsageError for a time that is none, too long or far from all data (calendars are gone
    through up to it), and for values that are not `name:value`.
    """
    shown = written_window(window) if window else _usual(here)
    if shown.end - shown.start > LONGEST:
        raise UsageError("window", f"is longer than {LONGEST.days} days", "choose a shorter one")
    if shown.start < EARLIEST or shown.start > here.at + LONGEST:
        raise UsageError("window", f"{shown} is beyond all data", "choose one of our time")
    if len(where) > MOST_VALUES:
        raise UsageError("where", f"has more than {MOST_VALUES} values", "leave some out")
    rows = by or _usual_rows(here, detector)
    chosen = Selection(shown, None, detector, measure, rows, tuple(_pairs(where)))
    return chosen.picking(written_window(picked)) if picked else chosen


SelectionDep = Annotated[Selection, Depends(selection)]


def _pairs(texts: Iterable[str]) -> Iterable[tuple[str, str]]:
    found: dict[str, str] = {}
    for text in texts:
        name, colon, value = text.partition(":")
        if not colon:
            raise UsageError("where", f"{inert(text)!r} is no value", "write where=country:DE")
        found[name] = value
    return found.items()


def _usual(here: Here) -> Window:
    """As far back as USUAL from where scoring has come to, else from the time of the look."""
    known = [one.scored_through for one in load_detectors(here.store) if one.scored_through]
    end = parse_time(max(known)) if known else here.at.replace(minute=0, second=0, microsecond=0)
    return Window(end - USUAL, end)


def _usual_rows(here: Here, detector: str) -> str:
    known = [one for one in scored_connectors(here.store) if detector in ("", one.name)]
    return next(iter(dimensions_of(known)), MEASURE)
