"""What a report is made of, as plain values; the report itself reads nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import pandas as pd

from bartizan.model.anomaly import Incident
from bartizan.model.attack import AttackLabel
from bartizan.model.landing import BatchCounts
from bartizan.model.window import Window
from bartizan.store.detectors import DetectorRecord
from bartizan.store.validations import CheckResult


@dataclass(frozen=True)
class Traffic:
    """Of the report's period, of aggregates; `fresh_through` is the last request's time, `too_late`
    counts requests of hours that they did not open again."""

    requests: int
    blocked: int
    fresh_through: datetime | None
    too_late: int

    @property
    def blocked_percent(self) -> float:
        return 100 * self.blocked / self.requests if self.requests else 0.0


@dataclass(frozen=True)
class ReportData:
    """Everything a report shows.

    `incidents` in the order to show them. `scores` maps a detector to its frame: interval_start
    (naive UTC), one column per dimension, measure, value, expected, lower, upper, severity,
    direction, reason. Without `objects`, as of metric files alone, nothing is said of landing.
    `quarantine` maps a reason to its number of records. `labels` are known
    attacks, where the traffic was simulated. `told` maps incidents to the stories that they were
    told as part of.
    """

    title: str
    period: Window
    objects: int
    counts: BatchCounts
    incidents: tuple[Incident, ...]
    scores: Mapping[str, pd.DataFrame]
    detectors: tuple[DetectorRecord, ...] = ()
    validation: tuple[CheckResult, ...] = ()
    quarantine: Mapping[str, int] = field(default_factory=dict)
    labels: tuple[AttackLabel, ...] = ()
    told: Mapping[str, str] = field(default_factory=dict)
    traffic: Traffic | None = None
