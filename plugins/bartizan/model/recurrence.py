"""When the entries of a calendar are, in UTC.

Recurrence is by RFC 5545 in the calendar's wall time. A wall time that clocks skip is taken by the
offset before the change, one that they show twice is the first.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from dateutil.rrule import rrule, rrulestr

from bartizan.errors import UsageError
from bartizan.model.calendar_entries import ALL_SERIES, Entry, Once, Only
from bartizan.model.window import DAY, Window, aware

COARSE = ("YEARLY", "MONTHLY", "WEEKLY", "DAILY")


@dataclass(frozen=True)
class Occurrence:
    """A range that an entry names, why, and for which series."""

    window: Window
    why: str
    only: Only = ALL_SERIES


def occurrences(entries: Iterable[Entry], timezone: str, window: Window) -> list[Occurrence]:
    """The ranges of the entries that overlap `window`, in the order of the entries."""
    return [
        Occurrence(found, entry.why, entry.only)
        for entry in entries
        for found in _windows(entry, ZoneInfo(timezone), window)
        if found.overlaps(window)
    ]


def parse_rule(rule: str, first: datetime) -> rrule:
    """The rule from `first` (naive wall time) on. Raises UsageError for what is no such rule."""
    parts = dict(part.partition("=")[::2] for part in rule.upper().split(";"))
    if parts.get("FREQ") not in COARSE:
        raise UsageError(
            "rrule", f"{rule!r} has no FREQ of {', '.join(COARSE)}", "write FREQ=WEEKLY;BYDAY=SU"
        )
    if parts.get("UNTIL", "").endswith("Z"):
        raise UsageError(
            "rrule", f"{rule!r} ends at a UTC time", "write UNTIL in wall time, without Z"
        )
    try:
        parsed = rrulestr(rule, dtstart=first)
    except (ValueError, TypeError) as error:
        raise UsageError("rrule", f"{rule!r}: {error}", "write FREQ=WEEKLY;BYDAY=SU") from error
    if not isinstance(parsed, rrule):
        raise UsageError("rrule", f"{rule!r} is more than one rule", "write one entry for each")
    if next(iter(parsed), None) is None:
        raise UsageError("rrule", f"{rule!r} never happens", "correct its days and months")
    return parsed


def utc(wall: datetime, zone: ZoneInfo) -> datetime:
    """A naive wall time as an instant; an aware one stays what it is."""
    return aware(wall if wall.tzinfo else wall.replace(tzinfo=zone))


def _windows(entry: Entry, zone: ZoneInfo, window: Window) -> list[Window]:
    if isinstance(entry, Once):
        return [entry.window]
    # Wall times are within a day of UTC.
    since = window.start.replace(tzinfo=None) - entry.duration - DAY
    until = window.end.replace(tzinfo=None) + DAY
    starts = parse_rule(entry.rule, entry.first).between(since, until, inc=True)
    spans = [(utc(start, zone), utc(start + entry.duration, zone)) for start in starts]
    return [Window(start, end) for start, end in spans if start < end]
