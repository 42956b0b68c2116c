"""What Explorer, Series and Contributions are about: one selection, kept in the page's address."""

from __future__ import annotations

from dataclasses import dataclass, replace
from urllib.parse import urlencode

from bartizan.model.anomaly import Incident
from bartizan.model.health import HEALTH
from bartizan.model.window import DAY, Window, floor, format_time

DETECTOR, MEASURE = "detector", "measure"  # that rows can be by, beside dimensions


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


def has_scores(incident: Incident) -> bool:
    """Whether a detector of metrics found it; those about ourselves have none."""
    return incident.detector != HEALTH


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


def _written(window: Window) -> str:
    return "/".join(_brief(format_time(at)) for at in (window.start, window.end))


def _brief(text: str) -> str:
    """Without what is 0: addresses are read by people, too."""
    midnight, seconds = "T00:00:00Z", ":00Z"
    if text.endswith(midnight):
        return text.removesuffix(midnight)
    return text.removesuffix(seconds) + "Z" if text.endswith(seconds) else text
