"""What a connector's calendar says: where its days begin, and which times are not usual."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from bartizan.model.window import Window

UTC = "UTC"


@dataclass(frozen=True)
class Once:
    """One range of time; `why` is for people."""

    window: Window
    why: str


@dataclass(frozen=True)
class Recurring:
    """A range that comes again by an RFC 5545 `rule` such as `FREQ=WEEKLY;BYDAY=SU`.

    `first` (naive) and `duration` are wall time of the calendar's zone: a day from midnight ends
    at midnight, when clocks change too.
    """

    rule: str
    first: datetime
    duration: timedelta
    why: str


Entry = Once | Recurring


@dataclass(frozen=True)
class CalendarEntries:
    """`timezone` (IANA) is where hours of the day and weekdays are taken.

    What happens in a `muted` range is judged as ever and told to nobody. In an `excluded` one
    nothing is judged, and nothing is learned from it.
    """

    timezone: str = UTC
    muted: tuple[Entry, ...] = ()
    excluded: tuple[Entry, ...] = ()


NO_ENTRIES = CalendarEntries()
