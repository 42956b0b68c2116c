"""Times in YAML files: a time zone, one-off ranges and recurring ones.

`calendar:` of connector.yaml and `quiet:` of alerts.yaml are made of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from bartizan.described import Described, wrong
from bartizan.errors import UsageError
from bartizan.model.calendar_entries import CalendarEntries, Entry, Once, Only, Recurring
from bartizan.model.recurrence import parse_rule, utc
from bartizan.model.window import Window, parse_duration

# From when on a rule without a start recurs.
ANCHOR = datetime(2000, 1, 1)
LONGEST = timedelta(days=366)


def _timezone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ValueError, OSError, KeyError) as error:  # ZoneInfoNotFoundError is a KeyError
        raise wrong(f"{value!r} is no time zone", "write UTC or Europe/Berlin") from error
    return value


def _wall(value: object) -> datetime:
    """YAML reads `2026-12-24` as a date, `2026-12-24T18:00:00` as a time, shorter ones as text."""
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime.combine(value, datetime.min.time())
    try:
        return datetime.fromisoformat(value if isinstance(value, str) else "")
    except ValueError as error:
        raise wrong(
            f"{value!r} is no time", "write 2026-12-24 or 2026-12-24T18:00, in the time zone"
        ) from error


def at_most(longest: timedelta, instead: str) -> AfterValidator:
    """Of durations; `instead` is the remedy for a longer one."""

    def check(value: str) -> str:
        try:
            duration = parse_duration(value)
        except UsageError as error:
            raise wrong(error.problem, error.remedy) from error
        if duration > longest:
            raise wrong(f"{value!r} is longer than {longest.days} days", instead)
        return value

    return AfterValidator(check)


TimeZone = Annotated[str, AfterValidator(_timezone)]


class Times(Described):
    """`start` and `end` of one range, or `rrule` and `duration` of a recurring one."""

    start: Annotated[datetime | None, BeforeValidator(_wall)] = None
    end: Annotated[datetime | None, BeforeValidator(_wall)] = None
    rrule: str | None = None
    duration: Annotated[str, at_most(LONGEST, "write two entries")] | None = None
    why: Annotated[str, Field(min_length=1)]

    @model_validator(mode="after")
    def _once_or_recurring(self) -> Times:
        once = self.start is not None and self.end is not None
        recurring = self.rrule is not None and self.duration is not None
        mixed = self.end is not None and (self.rrule is not None or self.duration is not None)
        if once == recurring or mixed:
            raise wrong(
                f"entry {self.why!r} is neither one range nor a rule",
                "write start and end, or rrule and duration",
            )
        if self.rrule is not None:
            self._check_rule(self.rrule)
        return self

    def _check_rule(self, rule: str) -> None:
        counted = any(part in rule.upper() for part in ("COUNT=", "INTERVAL="))
        if counted and self.start is None:
            raise wrong(f"rrule {rule!r} counts from nowhere", "write start: with it")
        if self.start is not None and self.start.tzinfo is not None:
            raise wrong(
                f"start {self.start.isoformat()!r} of a rule has an offset",
                "write the wall time of the calendar's time zone",
            )
        try:
            parse_rule(rule, self.start or ANCHOR)
        except UsageError as error:
            raise wrong(error.problem, error.remedy) from error

    def as_entry(self, zone: ZoneInfo) -> Entry:
        if self.rrule is not None and self.duration is not None:
            first, duration = self.start or ANCHOR, parse_duration(self.duration)
            return Recurring(self.rrule, first, duration, self.why)
        assert self.start is not None and self.end is not None
        return Once(Window(utc(self.start, zone), utc(self.end, zone)), self.why)


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


_Values = Annotated[list[str], BeforeValidator(_as_list), Field(min_length=1)]


class SomeTimes(Times):
    """With `only`, of the series that have one of the values of each dimension named."""

    only: Annotated[dict[str, _Values], Field(min_length=1)] | None = None

    def as_entry(self, zone: ZoneInfo) -> Entry:
        named = tuple((name, tuple(values)) for name, values in (self.only or {}).items())
        return replace(super().as_entry(zone), only=Only(named))


class CalendarBlock(Described):
    timezone: TimeZone = "UTC"
    mute: list[SomeTimes] = Field(default_factory=list)
    exclude: list[SomeTimes] = Field(default_factory=list)

    @model_validator(mode="after")
    def _ranges_have_a_length(self) -> CalendarBlock:
        for entry in (*self.mute, *self.exclude):
            try:
                entry.as_entry(ZoneInfo(self.timezone))
            except UsageError as error:
                raise wrong(f"entry {entry.why!r}: {error.problem}", error.remedy) from error
        return self

    def require_dimensions(self, known: Sequence[str]) -> None:
        """Raise unless entries that are of some series only name dimensions of the connector."""
        for entry in (*self.mute, *self.exclude):
            if strange := [name for name in entry.only or {} if name not in known]:
                raise wrong(
                    f"entry {entry.why!r} is only for some {strange[0]!r}, which is no dimension",
                    f"write one of {', '.join(known)}" if known else "leave only out",
                )

    def as_entries(self) -> CalendarEntries:
        zone = ZoneInfo(self.timezone)
        muted, excluded = (
            tuple(one.as_entry(zone) for one in entries) for entries in (self.mute, self.exclude)
        )
        return CalendarEntries(self.timezone, muted, excluded)
