"""What is known of one incident, in the order and the length in which it is shown."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby

from bartizan.dispatch.series import IncidentSeries, series_of
from bartizan.model.anomaly import Contribution, Incident, RootCause
from bartizan.model.story import combination, headline, severity_label, story, without

_TOP_SERIES = 10
_TOP_SHARES = 6


@dataclass(frozen=True)
class Shares:
    """The largest contributions of one dimension; `more` values with `rest` percent follow."""

    dimension: str
    top: tuple[Contribution, ...]
    more: int
    rest: int


@dataclass(frozen=True)
class CauseView:
    """A root cause as the combination of dimension values that it is."""

    combination: str
    cause: RootCause


@dataclass(frozen=True)
class IncidentBody:
    """`driver` is the series that deviates most, `series` the first ten of all."""

    incident: Incident
    label: str
    headline: str
    story: str
    driver: IncidentSeries
    series: tuple[IncidentSeries, ...]
    series_left_out: int
    shares: tuple[Shares, ...]
    causes: tuple[CauseView, ...]
    without: str

    @property
    def duration(self) -> timedelta:
        return self.incident.window.end - self.incident.window.start


def incident_body(incident: Incident) -> IncidentBody:
    series, found = series_of(incident), incident.explanation
    return IncidentBody(
        incident=incident,
        label=severity_label(incident.severity),
        headline=headline(incident),
        story=story(incident),
        driver=series[0],
        series=tuple(series[:_TOP_SERIES]),
        series_left_out=max(len(series) - _TOP_SERIES, 0),
        shares=_shares(incident),
        causes=tuple(CauseView(combination(one), one) for one in found.causes) if found else (),
        without=without(found) if found else "",
    )


def _shares(incident: Incident) -> tuple[Shares, ...]:
    result = []
    for dimension, group in groupby(incident.contributions, key=lambda c: c.dimension):
        shares = tuple(group)
        rest = shares[_TOP_SHARES:]
        result.append(
            Shares(dimension, shares[:_TOP_SHARES], len(rest), sum(c.percent for c in rest))
        )
    return tuple(result)
