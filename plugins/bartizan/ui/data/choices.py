"""What can be chosen: detectors, measures, dimensions, and other times."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from bartizan.model.connector import Connector
from bartizan.model.window import DAY, Window
from bartizan.store import Store
from bartizan.ui.data.stored import scored_connectors
from bartizan.ui.selection import DETECTOR, MEASURE, Selection

LENGTHS = (("1 day", DAY), ("7 days", 7 * DAY), ("30 days", 30 * DAY), ("1 year", 365 * DAY))


@dataclass(frozen=True)
class Time:
    """A time to look at instead; `open` when it is looked at."""

    name: str
    about: Selection
    open: bool = False


@dataclass(frozen=True)
class Choices:
    """`rows` are what rows can be by. Measures are those of the detector, or of all."""

    detectors: tuple[str, ...]
    measures: tuple[str, ...]
    rows: tuple[str, ...]
    times: tuple[Time, ...]
    before: Selection
    after: Selection


def choices(store: Store, selection: Selection) -> Choices:
    known = list(scored_connectors(store))
    asked = [one for one in known if selection.detector in ("", one.name)]
    window, length = selection.window, selection.window.end - selection.window.start
    return Choices(
        detectors=tuple(one.name for one in known),
        measures=tuple(sorted({measure.name for one in asked for measure in one.measures})),
        rows=(*dimensions_of(asked), MEASURE, DETECTOR),
        times=tuple(
            Time(name, selection.at(Window(window.end - long, window.end)), long == length)
            for name, long in LENGTHS
        ),
        before=selection.at(_moved(window, -length)),
        after=selection.at(_moved(window, length)),
    )


def dimensions_of(connectors: list[Connector]) -> tuple[str, ...]:
    """Those that most have first, then in the order of the connectors."""
    names = [name for one in connectors for name in one.dimensions]
    return tuple(sorted(dict.fromkeys(names), key=lambda name: -names.count(name)))


def _moved(window: Window, by: timedelta) -> Window:
    return Window(window.start + by, window.end + by)
