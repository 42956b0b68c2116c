"""What else is known of an incident: what got through, what was never seen, the queries."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import sqrt

from bartizan.model.text import number, short

_VALUE = 80  # characters


@dataclass(frozen=True)
class Impact:
    """Allowed requests of the web ACL in the incident's window, and in the same hours a week
    before."""

    allowed: int
    before: int

    @property
    def changed(self) -> bool:
        """By more than a tenth, and more than chance would have it (three standard deviations)."""
        return abs(self.allowed - self.before) > max(0.1 * self.before, 3 * sqrt(self.before))

    @property
    def in_words(self) -> str:
        numbers = f"{number(self.allowed)} allowed requests, {number(self.before)} a week before"
        if not self.changed:
            return f"Traffic that got through did not change: {numbers}."
        rose = "rose" if self.allowed > self.before else "fell"
        return f"Traffic that got through {rose}: {numbers}."


@dataclass(frozen=True)
class FirstSeen:
    """A value that was not there in `days` before; `exact` unless only the busiest are kept."""

    dimension: str
    value: str
    days: int
    exact: bool

    @property
    def in_words(self) -> str:
        name = f"{short(self.dimension, _VALUE)} {short(self.value, _VALUE)}"
        if self.exact:
            return f"{name} was never seen before in {self.days} days."
        return f"{name} was never among the busiest in {self.days} days before."


@dataclass(frozen=True)
class Query:
    """SQL that gives the numbers again; `what` says which."""

    what: str
    sql: str


@dataclass(frozen=True)
class Evidence:
    impact: Impact | None = None
    first_seen: tuple[FirstSeen, ...] = ()
    queries: tuple[Query, ...] = ()

    def sentences(self) -> Iterator[str]:
        yield from (one.in_words for one in self.first_seen)
        if self.impact is not None:
            yield self.impact.in_words
