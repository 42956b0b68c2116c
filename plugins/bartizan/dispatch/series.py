"""The series of an incident, the biggest deviation first."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import groupby

from bartizan.model.anomaly import Anomaly, Incident


@dataclass(frozen=True)
class IncidentSeries:
    """One series with its anomalies in order of time; `deviation` sums |value - expected|."""

    dimensions: tuple[tuple[str, str], ...]
    anomalies: tuple[Anomaly, ...]

    @property
    def value(self) -> float:
        return math.fsum(anomaly.value for anomaly in self.anomalies)

    @property
    def expected(self) -> float:
        return math.fsum(_known(anomaly.expected) for anomaly in self.anomalies)

    @property
    def deviation(self) -> float:
        return math.fsum(abs(a.value - _known(a.expected)) for a in self.anomalies)

    @property
    def peak(self) -> Anomaly:
        return max(self.anomalies, key=lambda a: (a.severity, -a.interval.start.timestamp()))


def series_of(incident: Incident) -> list[IncidentSeries]:
    """Every series of the incident once; ties of deviation by dimension values."""
    ordered = sorted(incident.anomalies, key=lambda a: (a.dimensions, a.interval.start))
    series = [
        IncidentSeries(dimensions, tuple(anomalies))
        for dimensions, anomalies in groupby(ordered, key=lambda a: a.dimensions)
    ]
    return sorted(series, key=lambda one: (-one.deviation, one.dimensions))


def _known(expected: float) -> float:
    return expected if math.isfinite(expected) else 0.0
