"""Calendar files (iCalendar, RFC 5545) as the entries that `calendar:` and `quiet:` are made of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event
from icalendar.error import IncompleteComponent, InvalidCalendar
from pydantic import ValidationError

from bartizan.calendars import Times
from bartizan.errors import ConfigError
from bartizan.model.text import inert, short

SHOWN = 80  # characters of a summary
UNNAMED = "(no summary)"
_EXCEPTIONS = ("EXDATE", "RDATE", "EXRULE", "RECURRENCE-ID")
_EXPORT = "export it again from the calendar program, as .ics"


@dataclass(frozen=True)
class Imported:
    """`entries` as they are written in YAML, in the order of the file; `left_out` says of every
    other event what it is and why it cannot be an entry."""

    entries: tuple[dict[str, str], ...]
    left_out: tuple[str, ...]


def read_ics(file: Path, timezone: str) -> Imported:
    """The events of a calendar file, in wall time of `timezone` (IANA).

    Raises ConfigError for a file that is none, or a time zone that is none.
    """
    try:
        zone, calendars = ZoneInfo(timezone), Calendar.from_ical(file.read_bytes(), multiple=True)
    except FileNotFoundError as error:
        raise ConfigError(str(file), "no such file", _EXPORT) from error
    except KeyError as error:  # ZoneInfoNotFoundError
        raise ConfigError("--timezone", f"{timezone!r} is none", "write Europe/Berlin") from error
    except ValueError as error:
        raise ConfigError(str(file), f"no calendar: {short(str(error), SHOWN)}", _EXPORT) from error
    entries: list[dict[str, str]] = []
    left_out: list[str] = []
    for event in (one for calendar in calendars for one in calendar.events):
        why = short(inert(str(event.get("SUMMARY") or "")), SHOWN) or UNNAMED
        try:
            entries.append(_entry(event, why, zone))
        except _NoEntry as error:
            left_out.append(f"{why}: {error}")
    return Imported(tuple(entries), tuple(left_out))


class _NoEntry(Exception):
    """Why an event cannot be an entry."""


def _entry(event: Event, why: str, zone: ZoneInfo) -> dict[str, str]:
    if str(event.get("STATUS")) == "CANCELLED":
        raise _NoEntry("it is cancelled")
    try:
        start, end = event.start, event.end
    except (InvalidCalendar, IncompleteComponent) as error:
        raise _NoEntry(f"it has no times: {short(str(error), SHOWN)}") from error
    span = end - start
    entry = {"start": _wall(start, zone)}
    if event.get("RRULE") is None:
        entry["end"] = _wall(end, zone)
    else:
        entry |= {"rrule": _rule(event, zone), "duration": _duration(span)}
    entry["why"] = why
    try:
        Times.model_validate(entry)
    except ValidationError as error:
        raise _NoEntry(error.errors()[0]["msg"]) from error
    return entry


def _rule(event: Event, zone: ZoneInfo) -> str:
    rule: Any = event["RRULE"]
    if isinstance(rule, list) or any(event.get(name) is not None for name in _EXCEPTIONS):
        raise _NoEntry("it recurs with exceptions; write an entry for each")
    start = event.start
    if isinstance(start, datetime) and start.tzinfo is not None and _differs(start, zone):
        raise _NoEntry(f"it recurs in {start.tzinfo}, not in {zone.key}")
    until = [_wall(one, zone) for one in rule.get("UNTIL", [])]
    kept = [part for part in rule.to_ical().decode().split(";") if not part.startswith("UNTIL=")]
    return ";".join([*kept, *(f"UNTIL={_basic(one)}" for one in until)])


def _differs(instant: datetime, zone: ZoneInfo) -> bool:
    return instant.astimezone(zone).utcoffset() != instant.utcoffset()


def _wall(instant: date, zone: ZoneInfo) -> str:
    """`2026-12-24T18:00:00` in the zone; a date is its midnight, floating times stay."""
    if not isinstance(instant, datetime):
        return datetime.combine(instant, datetime.min.time()).isoformat()
    known = instant if instant.tzinfo is None else instant.astimezone(zone)
    return known.replace(tzinfo=None).isoformat()


def _basic(wall: str) -> str:
    return wall.replace("-", "").replace(":", "")


def _duration(span: timedelta) -> str:
    return f"PT{int(span / timedelta(minutes=1))}M"
