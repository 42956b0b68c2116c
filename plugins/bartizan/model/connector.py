"""A connector: one query, or files that others write, and the metrics they yield."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from bartizan.model.calendar_entries import NO_ENTRIES, CalendarEntries
from bartizan.model.source import Source

# Lookout for Metrics: names of columns and of detectors. Safe in paths, DAG ids and SQL.
NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9\-_]{0,62}")

# Hourly runs start this long after their hour, so that WAF has delivered it.
GRACE = timedelta(minutes=20)

LAKE_ENGINE = "duckdb"
ASK_AFTER = timedelta(hours=48)


class Aggregation(StrEnum):
    """How the rows of one series in one interval become one value; docs/connectors.md has a table.

    Rows without a value do not count, in none of them.
    """

    SUM = "SUM"
    AVG = "AVG"
    COUNT = "COUNT"
    MIN = "MIN"
    MAX = "MAX"
    P50 = "P50"
    P95 = "P95"
    P99 = "P99"
    COUNT_DISTINCT = "COUNT_DISTINCT"
    RATIO = "RATIO"

    @property
    def counts(self) -> bool:
        """Whether values are numbers of something, so that no row is none of it."""
        return self in (Aggregation.SUM, Aggregation.COUNT, Aggregation.COUNT_DISTINCT)

    @property
    def takes_text(self) -> bool:
        """Whether the column may hold any text; the others need numbers."""
        return self in (Aggregation.COUNT, Aggregation.COUNT_DISTINCT)


class Missing(StrEnum):
    """What an absent series means in an interval for which the source did deliver."""

    ZERO = "zero"
    GAP = "gap"
    CARRY = "carry"


@dataclass(frozen=True)
class Measure:
    """`of` are the columns it is made from: one, or for a RATIO what is divided and by what.

    Without them it is the column of its own name. `carry_for` is how far a value is carried.
    """

    name: str
    aggregation: Aggregation = Aggregation.SUM
    missing: Missing = Missing.ZERO
    of: tuple[str, ...] = ()
    carry_for: timedelta = timedelta()

    @property
    def columns(self) -> tuple[str, ...]:
        return self.of or (self.name,)


@dataclass(frozen=True)
class Connector:
    """Frequency is the length of an interval; an interval is due at its end plus `offset`.

    `query` is the SQL text with `{{ start }}` and `{{ end }}`, from `query_file` of the folder; it
    returns the timestamp column, every dimension and every column that measures are made from.
    `engine` (an EngineName) runs it, at a named `connection` or the engine's only one.
    Only rows that have one of the values of every column in `filters` count. A connector with a
    `source` has no query: its files are written by others and only read.
    What has changed for `ask_after` is asked about: is it the new normal?
    """

    name: str
    description: str
    frequency: timedelta
    offset: timedelta
    timestamp: str
    dimensions: tuple[str, ...]
    measures: tuple[Measure, ...]
    query: str
    alert_threshold: float = 70.0
    engine: str = LAKE_ENGINE
    connection: str | None = None
    query_file: str = "query.sql"
    filters: tuple[tuple[str, tuple[str, ...]], ...] = ()
    source: Source | None = None
    calendar: CalendarEntries = NO_ENTRIES
    ask_after: timedelta = ASK_AFTER

    @property
    def reads_lake(self) -> bool:
        """Whether its source is complete for the hours that were landed, rows or not."""
        return self.engine == LAKE_ENGINE and self.source is None

    @property
    def origin(self) -> str:
        """The query's file, for messages."""
        return f"{self.name}/{self.query_file}"

    @property
    def held_back(self) -> timedelta:
        """How long an interval waits after the hourly run that could crawl it."""
        return max(self.offset - GRACE, timedelta(0))

    @property
    def value_columns(self) -> tuple[str, ...]:
        """The columns that measures are made from, each once."""
        return tuple(dict.fromkeys(name for m in self.measures for name in m.columns))

    @property
    def text_columns(self) -> frozenset[str]:
        """Those of them that may hold any text, as no measure needs their number."""
        numeric = {n for m in self.measures if not m.aggregation.takes_text for n in m.columns}
        return frozenset(self.value_columns) - numeric

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.timestamp, *self.dimensions, *self.value_columns)
