"""What Explorer, Series and Contributions are about: one selection, kept in the page's address."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Depends, Query

from bartizan.errors import UsageError
from bartizan.model.anomaly import Incident
from bartizan.model.text import inert
from bartizan.model.window import DAY, Window, floor, format_time, parse_time, written_window
from bartizan.store.detectors import load_detectors
from bartizan.ui.site import Here, HereDep

DETECTOR, MEASURE = "detector", "measure"  # that rows can be by, beside dimensions
USUAL = 7 * DAY
LONGEST = 366 * DAY
YEARS = range(1971, 9998)  # that leave room to go back and forth
MOST_VALUES = 10


@dataclass(frozen=True)
class Selection:
    """`window` is the time shown, `picked` a part of it that was chosen, None for all of it.
    Detector and measure are empty for all; `by` is what rows are: a dimension, `detector` or
    `measure`; `where` are dimension values."""

    window: Window
    picked: Window | None = None
    detector: str = ""
    measure: str = ""
    by: str = "webacl"
    where: tuple[tuple[str, str], ...] = ()

    @property
    def chosen(self) -> Window:
        return self.picked or self.window

    @property
    def values(self) -> dict[str, str]:
        """Dimension values, with the detector and the measure as if they were some."""
        named = ((DETECTOR, self.detector), (MEASURE, self.measure))
        return dict(self.where) | {name: value for name, value in named if value}

    @property
    def query(self) -> str:
        """What follows the question mark of an address."""
        given: list[tuple[str, str]] = [("window", _written(self.window))]
        if self.picked:
            given.append(("picked", _written(self.picked)))
        given += [("detector", self.detector)] * bool(self.detector)
        given += [("measure", self.measure)] * bool(self.measure)
        given.append(("by", self.by))
        given += [("where", f"{name}:{value}") for name, value in self.where]
        return urlencode(given, safe=":/")

    def having(self, name: str, value: str) -> Selection:
        """The same with one more value; it takes the place of another of its dimension."""
        if name == DETECTOR:
            return replace(self, detector=value)
        if name == MEASURE:
            return replace(self, measure=value)
        return replace(self, where=(*self.lacking(name).where, (name, value)))

    def lacking(self, name: str) -> Selection:
        """The same whatever the value of a dimension is."""
        if name in (DETECTOR, MEASURE):
            return self.having(name, "")
        return replace(self, where=tuple(pair for pair in self.where if pair[0] != name))

    def at(self, window: Window) -> Selection:
        """The same at another time, all of it."""
        return replace(self, window=window, picked=None)

    def picking(self, window: Window | None) -> Selection:
        """The same with a part of the time chosen."""
        part = self.window.intersection(window) if window else None
        return replace(self, picked=None if part == self.window else part)


def around(incident: Incident, where: tuple[tuple[str, str], ...]) -> Selection:
    """The time of an incident, chosen within the days beside it, of some dimension values."""
    window = incident.window
    return Selection(
        Window(floor(window.start, DAY) - DAY, floor(window.end, DAY) + DAY),
        window,
        incident.detector,
        incident.measure,
        incident.peak.dimensions[0][0] if incident.peak.dimensions else MEASURE,
        where,
    )


def selection(
    here: HereDep,
    window: str = "",
    picked: str = "",
    detector: str = "",
    measure: str = "",
    by: str = "webacl",
    where: Annotated[tuple[str, ...], Query()] = (),
) -> Selection:
    """Of the parameters of a request; without a window the last seven days that were scored.

    Raises UsageError for a time that is none or too long, and for values that are not `name:value`.
    """
    shown = written_window(window) if window else _usual(here)
    if shown.end - shown.start > LONGEST:
        raise UsageError("window", f"is longer than {LONGEST.days} days", "choose a shorter one")
    if shown.start.year not in YEARS:
        raise UsageError("window", f"{shown} is beyond all data", "choose one of our time")
    if len(where) > MOST_VALUES:
        raise UsageError("where", f"has more than {MOST_VALUES} values", "leave some out")
    chosen = Selection(shown, None, detector, measure, by or "webacl", tuple(_pairs(where)))
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


def _written(window: Window) -> str:
    return "/".join(_brief(format_time(at)) for at in (window.start, window.end))


def _brief(text: str) -> str:
    """Without what is 0: addresses are read by people, too."""
    midnight, seconds = "T00:00:00Z", ":00Z"
    if text.endswith(midnight):
        return text.removesuffix(midnight)
    return text.removesuffix(seconds) + "Z" if text.endswith(seconds) else text
