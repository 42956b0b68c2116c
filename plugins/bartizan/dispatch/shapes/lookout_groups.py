"""Anomaly groups as the API of Lookout for Metrics returns them.

The members of ListAnomalyGroupSummaries, GetAnomalyGroup and ListAnomalyGroupTimeSeries stand under
their names; what we know beyond them stands in further members.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from typing import Any

from bartizan.dispatch.payload import json_number
from bartizan.dispatch.series import IncidentSeries, series_of
from bartizan.dispatch.shapes.lookout_event import series_id
from bartizan.model.anomaly import Incident
from bartizan.model.story import because, headline
from bartizan.model.window import Window, format_time


def shape(incidents: Sequence[Incident], evaluated: Window) -> dict[str, Any]:
    """All groups of a detector over the window that was scored, in the given order."""
    measures = Counter(incident.measure for incident in incidents)
    return {
        "AnomalyGroupSummaryList": [_summary(incident) for incident in incidents],
        "AnomalyGroupStatistics": {
            "EvaluationStartDate": format_time(evaluated.start),
            "TotalCount": len(incidents),
            "ItemizedMetricStatsList": [
                {"MetricName": name, "OccurrenceCount": count}
                for name, count in sorted(measures.items())
            ],
        },
        "AnomalyGroups": [_group(incident) for incident in incidents],
        "AnomalyGroupTimeSeries": [_time_series(incident) for incident in incidents],
    }


def _summary(incident: Incident) -> dict[str, Any]:
    return {
        "StartTime": f"{incident.window.start:%Y-%m-%dT%H:%M}Z[UTC]",
        "EndTime": f"{incident.window.end:%Y-%m-%dT%H:%M}Z[UTC]",
        "AnomalyGroupId": incident.id,
        "AnomalyGroupScore": incident.severity,
        "PrimaryMetricName": incident.measure,
    }


def _group(incident: Incident) -> dict[str, Any]:
    matrix = [
        {
            "DimensionName": dimension,
            "DimensionValueContributionList": [
                {"DimensionValue": share.value, "ContributionScore": share.percent}
                for share in shares
            ],
        }
        for dimension, shares in groupby(incident.contributions, key=lambda c: c.dimension)
    ]
    return _summary(incident) | {
        "MetricLevelImpactList": [
            {
                "MetricName": incident.measure,
                "NumTimeSeries": len(series_of(incident)),
                "ContributionMatrix": {"DimensionContributionList": matrix},
            }
        ],
        "Description": headline(incident),
        "Explanation": " ".join(because(incident)),
        "Direction": incident.direction.value,
        "State": incident.state.value,
        "MetricValue": json_number(incident.value),
        "ExpectedValue": json_number(incident.expected),
    }


def _time_series(incident: Incident) -> dict[str, Any]:
    """The anomalous values of every series; null where an interval is not part of the group."""
    starts = sorted({anomaly.interval.start for anomaly in incident.anomalies})
    return {
        "AnomalyGroupId": incident.id,
        "MetricName": incident.measure,
        "TimestampList": [f"{start:%Y-%m-%dT%H:%M}Z[UTC]" for start in starts],
        "TimeSeriesList": [
            _series(incident, one) | _values(one, starts) for one in series_of(incident)
        ],
    }


def _series(incident: Incident, series: IncidentSeries) -> dict[str, Any]:
    return {
        "TimeSeriesId": series_id(incident.measure, series.dimensions),
        "DimensionList": [
            {"DimensionName": name, "DimensionValue": value} for name, value in series.dimensions
        ],
    }


def _values(series: IncidentSeries, starts: Sequence[Any]) -> dict[str, Any]:
    found = {anomaly.interval.start: anomaly for anomaly in series.anomalies}
    known = [found.get(start) for start in starts]
    return {
        "MetricValueList": [json_number(one.value) if one else None for one in known],
        "ExpectedValueList": [json_number(one.expected) if one else None for one in known],
        "SeverityList": [round(one.severity, 2) if one else None for one in known],
        "ReasonList": [one.reason if one else None for one in known],
    }
