"""A connector: one query and the description of the metrics it yields."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

# Lookout for Metrics: names of columns and of detectors. Safe in paths, DAG ids and SQL.
NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9\-_]{0,62}")

# Hourly runs start this long after their hour, so that WAF has delivered it.
GRACE = timedelta(minutes=20)


class Aggregation(StrEnum):
    """How rows of one series in one interval become one value."""

    SUM = "SUM"
    AVG = "AVG"


class Missing(StrEnum):
    """What an absent series means in an interval for which the source did deliver."""

    ZERO = "zero"
    GAP = "gap"


@dataclass(frozen=True)
class Measure:
    name: str
    aggregation: Aggregation = Aggregation.SUM
    missing: Missing = Missing.ZERO


@dataclass(frozen=True)
class Connector:
    """Frequency is the length of an interval; an interval is due at its end plus `offset`.

    `query` is the SQL text with `{{ start }}` and `{{ end }}`; it returns the timestamp column,
    every dimension and every measure.
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

    @property
    def held_back(self) -> timedelta:
        """How long an interval waits after the hourly run that could crawl it."""
        return max(self.offset - GRACE, timedelta(0))

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.timestamp, *self.dimensions, *(measure.name for measure in self.measures))
