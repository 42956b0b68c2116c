"""The `rules:` and `quiet:` of alerts.yaml. docs/channels.md explains every key."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import Field, model_validator

from bartizan.calendars import Times, TimeZone, at_most
from bartizan.described import Described, wrong
from bartizan.dispatch.rulebook import ANY_CHANGE, NO_CHANGE, CatchUp, Change, Flapping, Quiet, Rule
from bartizan.dispatch.scope import Globs, Scope
from bartizan.errors import UsageError
from bartizan.model.anomaly import Direction
from bartizan.model.calendar_entries import CalendarEntries
from bartizan.model.window import parse_duration

LONGEST_WAIT = timedelta(days=7)
LONGEST_RUN = 10_000  # intervals that are counted

Names = Annotated[list[str], Field(min_length=1)]
Values = dict[str, Names]
Severity = Annotated[float, Field(ge=0, le=100)]
Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1, le=LONGEST_RUN)]
Wait = Annotated[str, at_most(LONGEST_WAIT, "write at most P7D")]


class ScopeBlock(Described):
    detectors: Names | None = None
    channels: Names | None = None
    measures: Names | None = None
    direction: Literal["above", "below"] | None = None
    only: Values = Field(default_factory=dict)
    without: Values = Field(default_factory=dict)

    def as_scope(self) -> Scope:
        return Scope(
            None if self.detectors is None else frozenset(self.detectors),
            None if self.channels is None else frozenset(self.channels),
            tuple(self.measures or ()),
            None if self.direction is None else Direction(self.direction),
            _globs(self.only),
            _globs(self.without),
        )


class _Change(Described):
    absolute: Amount | None = None
    percent: Amount | None = None

    def as_change(self, neither: Change) -> Change:
        if self.absolute is None and self.percent is None:
            return neither
        return Change(self.absolute or 0.0, self.percent or 0.0)


class _Intervals(Described):
    at_least: Count
    among: Count

    @model_validator(mode="after")
    def _fits(self) -> _Intervals:
        if self.at_least > self.among:
            raise wrong(
                f"{self.at_least} of {self.among} cannot be", "make among as large as at_least"
            )
        return self


class RuleBlock(ScopeBlock):
    min_severity: Severity | None = None
    min_change: _Change = _Change()
    intervals: _Intervals = _Intervals(at_least=1, among=1)
    wait: Wait | None = None
    unacknowledged_for: Wait | None = None
    worse_by: _Change | None = None

    def as_rule(self) -> Rule:
        return Rule(
            **vars(self.as_scope()),
            min_severity=self.min_severity,
            min_change=self.min_change.as_change(ANY_CHANGE),
            intervals=self.intervals.at_least,
            among=self.intervals.among,
            wait=_span(self.wait),
            unacknowledged_for=_span(self.unacknowledged_for),
            worse_by=None if self.worse_by is None else self.worse_by.as_change(NO_CHANGE),
        )


class QuietBlock(ScopeBlock, Times):
    timezone: TimeZone = "UTC"
    min_severity: Severity | None = None

    @model_validator(mode="after")
    def _has_a_length(self) -> QuietBlock:
        try:
            self.as_entry(ZoneInfo(self.timezone))
        except UsageError as error:
            raise wrong(error.problem, error.remedy) from error
        return self

    def as_quiet(self) -> Quiet:
        entry = self.as_entry(ZoneInfo(self.timezone))
        times = CalendarEntries(self.timezone, muted=(entry,))
        return Quiet(
            **vars(self.as_scope()), why=self.why, times=times, min_severity=self.min_severity
        )


class FlappingBlock(Described):
    """`channels`: None is those that people read; none of them switches it off."""

    channels: list[str] | None = None
    after: Annotated[int, Field(ge=2, le=1000)] = 3
    within: Wait = "P1D"
    stable: Wait = "PT2H"

    def as_flapping(self, read_by_people: frozenset[str]) -> Flapping:
        return Flapping(
            channels=read_by_people if self.channels is None else frozenset(self.channels),
            after=self.after,
            within=parse_duration(self.within),
            stable=parse_duration(self.stable),
        )


class CatchUpBlock(Described):
    behind: Wait = "PT6H"
    at_most: Wait = "PT30M"

    def as_catch_up(self) -> CatchUp:
        return CatchUp(parse_duration(self.behind), parse_duration(self.at_most))


class HealthBlock(Described):
    late_after: Wait = "PT3H"


def _globs(values: Values) -> tuple[tuple[str, Globs], ...]:
    return tuple((name, tuple(globs)) for name, globs in values.items())


def _span(text: str | None) -> timedelta:
    return timedelta() if text is None else parse_duration(text)
