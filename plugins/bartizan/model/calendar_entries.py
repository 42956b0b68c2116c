"""What a connector's calendar says: where its days begin, and which times are not usual."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bartizan.model.window import Window

UTC = "UTC"


@dataclass(frozen=True)
class Only:
    """The series that have one of the `values` of each dimension; without any, all series."""

    values: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def names(self, dimensions: Iterable[tuple[str, str]]) -> bool:
        """Whether a series of these dimension values is one of them. What has no value of a
        dimension has any."""
        given = dict(dimensions)
        return all(given.get(name, values[0]) in values for name, values in self.values)

    def by(self, dimensions: Iterable[str]) -> Only:
        """The totals by these dimensions that one of the series has a part in."""
        kept = set(dimensions)
        return Only(tuple(pair for pair in self.values if pair[0] in kept))


ALL_SERIES = Only()


@dataclass(frozen=True)
class Once:
    """One range of time; `why` is for people. It holds for some series `only`, or for all."""

    window: Window
    why: str
    only: Only = ALL_SERIES


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
    only: Only = ALL_SERIES


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

    def by(self, dimensions: Iterable[str]) -> CalendarEntries:
        """The same for totals by these dimensions."""
        muted, excluded = (
            tuple(replace(one, only=one.only.by(dimensions)) for one in entries)
            for entries in (self.muted, self.excluded)
        )
        return replace(self, muted=muted, excluded=excluded)


NO_ENTRIES = CalendarEntries()
