"""The alert event of Lookout for Metrics, for SNS (format JSON) and Lambda.

Every key of the original is there under its name; what we know beyond it stands in further keys.
"""

from __future__ import annotations

import hashlib
from itertools import groupby
from typing import Any

from bartizan.dispatch.context import Context
from bartizan.dispatch.payload import MAX_BYTES, encoded, fitting, json_number
from bartizan.dispatch.series import IncidentSeries, series_of
from bartizan.model.anomaly import Contribution, Explanation, Incident
from bartizan.model.story import headline
from bartizan.model.text import short
from bartizan.model.window import format_time

_VALUE_LIMIT = 256
_TOP_VALUES = 10


def shape(
    incident: Incident, context: Context, change: int, most: int = MAX_BYTES
) -> dict[str, Any]:
    """The event, at most `most` bytes of JSON.

    `timestamp` is the start of the incident; a series' `metricValue` is that of its peak interval.
    Series with the smallest deviation are left out where not all fit; `seriesLeftOut` counts them.
    """
    alert_arn = context.alert_arn(incident.detector)
    metric: dict[str, Any] = {
        "metricName": incident.measure,
        "dimensionContribution": dimension_contribution(incident.contributions),
        "relevantTimeSeries": [],
    }
    event = {
        "alertName": incident.detector,
        "alertEventId": f"{alert_arn}:event/{incident.id}",
        "anomalyDetectorArn": context.detector_arn(incident.detector),
        "alertArn": alert_arn,
        "alertDescription": headline(incident),
        "impactedMetric": metric,
        "timestamp": f"{incident.window.start:%Y-%m-%dT%H:%M}Z[UTC]",
        "anomalyScore": round(incident.severity, 2),
        "consoleUrl": context.incident_url(incident.id),
        "anomalyGroupId": incident.id,
        "changeNumber": change,
        "state": incident.state.value,
        "startTime": format_time(incident.window.start),
        "endTime": format_time(incident.window.end),
        "direction": incident.direction.value,
        "value": json_number(incident.value),
        "expectedValue": json_number(incident.expected),
        "explanation": explanation(incident.explanation),
        "seriesLeftOut": len(incident.anomalies),  # at least as wide as the final number
    }
    series = [_time_series(incident.measure, one) for one in series_of(incident)]
    metric["relevantTimeSeries"] = fitting(series, most - len(encoded(event)))
    return event | {"seriesLeftOut": len(series) - len(metric["relevantTimeSeries"])}


def explanation(found: Explanation | None) -> dict[str, Any] | None:
    """Root causes and the rest without them; null where none were looked for."""
    if found is None:
        return None
    causes = [
        {
            "dimensions": [
                {"dimensionName": name, "dimensionValue": _value(value)}
                for name, value in cause.dimensions
            ],
            "value": json_number(cause.value),
            "expectedValue": json_number(cause.expected),
            "percentOfChange": cause.percent,
        }
        for cause in found.causes
    ]
    return {
        "rootCauses": causes,
        "isCompact": found.is_compact,
        "restValue": json_number(found.rest_value),
        "restExpectedValue": json_number(found.rest_expected),
        "restIsNormal": found.rest_normal,
    }


def dimension_contribution(contributions: tuple[Contribution, ...]) -> list[dict[str, Any]]:
    """Per dimension the ten largest shares, and the rest as one entry, adding to 100."""
    return [
        {"dimensionName": dimension, "dimensionValueContributions": _top(list(shares))}
        for dimension, shares in groupby(contributions, key=lambda c: c.dimension)
    ]


def _top(shares: list[Contribution]) -> list[dict[str, Any]]:
    rest = shares[_TOP_VALUES:]
    top = [_share(_value(share.value), share.percent) for share in shares[:_TOP_VALUES]]
    others = _share(f"... and {len(rest)} more", sum(share.percent for share in rest))
    return [*top, others] if rest else top


def _share(value: str, percent: int) -> dict[str, Any]:
    return {"dimensionValue": value, "valueContribution": percent}


def _time_series(measure: str, series: IncidentSeries) -> dict[str, Any]:
    peak = series.peak
    return {
        "timeSeriesId": series_id(measure, series.dimensions),
        "dimensions": [
            {"dimensionName": name, "dimensionValue": _value(value)}
            for name, value in series.dimensions
        ],
        "metricValue": json_number(peak.value),
        "expectedValue": json_number(peak.expected),
        "lowerBound": json_number(peak.lower),
        "upperBound": json_number(peak.upper),
        "anomalyScore": round(peak.severity, 2),
        "direction": peak.direction.value,
        "reason": peak.reason,
        "intervalStart": format_time(peak.interval.start),
    }


def series_id(measure: str, dimensions: tuple[tuple[str, str], ...]) -> str:
    parts = [measure, *(part for pair in dimensions for part in pair)]
    return hashlib.sha512("\x1f".join(parts).encode(errors="surrogatepass")).hexdigest()


def _value(value: str) -> str:
    return short(value, _VALUE_LIMIT)
