"""What else happened at a time, as far as the house knows: late data, calendars."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

from bartizan.model.connector import Connector
from bartizan.model.recurrence import occurrences
from bartizan.model.story import shown
from bartizan.model.text import number
from bartizan.model.window import HOUR, Window
from bartizan.store import Store
from bartizan.store.late import late_hours

LATE, CALENDAR = "late data", "calendar"


@dataclass(frozen=True)
class Mark:
    """`kind` is LATE or CALENDAR; `text` says what, for people."""

    kind: str
    window: Window
    text: str


def marks(store: Store, connectors: Iterable[Connector], window: Window) -> tuple[Mark, ...]:
    """Those that overlap a window, by kind and time, each once."""
    found = chain(_late(store, window), _calendars(connectors, window))
    return tuple(sorted(set(found), key=lambda one: (one.kind, one.window, one.text)))


def _late(store: Store, window: Window) -> Iterator[Mark]:
    for hour, requests in late_hours(store, window).items():
        yield Mark(LATE, Window(hour, hour + HOUR), f"{number(requests)} requests came too late")


def _calendars(connectors: Iterable[Connector], window: Window) -> Iterator[Mark]:
    for connector in connectors:
        calendar = connector.calendar
        for entries, what in ((calendar.muted, "muted"), (calendar.excluded, "excluded")):
            for one in occurrences(entries, calendar.timezone, window):
                yield Mark(CALENDAR, one.window, f"{what}: {shown(one.why)}")
