"""The anomalies of an incident as rows of a table."""

from __future__ import annotations

import json
from typing import Any

from bartizan.dispatch.context import Context
from bartizan.dispatch.payload import json_number
from bartizan.model.anomaly import Incident
from bartizan.model.story import headline
from bartizan.model.text import inert
from bartizan.model.window import format_time

COLUMNS = (
    *("incident_id", "change", "state", "measure", "interval_start", "interval_end"),
    *("dimensions", "value", "expected", "lower", "upper", "severity", "direction", "reason"),
    *("incident_severity", "headline", "url"),
)


def shape(incident: Incident, context: Context, change: int) -> dict[str, Any]:
    """`detector` and `date` (of the incident's start) for folders, and `rows`: one per anomaly,
    keys as in COLUMNS; `dimensions` is a JSON object of inert texts, whole, never cut."""
    said, url = headline(incident), context.incident_url(incident.id)
    return {
        "detector": incident.detector,
        "date": f"{incident.window.start:%Y-%m-%d}",
        "rows": [
            {
                "incident_id": incident.id,
                "change": change,
                "state": incident.state.value,
                "measure": incident.measure,
                "interval_start": format_time(one.interval.start),
                "interval_end": format_time(one.interval.end),
                "dimensions": json.dumps(
                    {inert(name): inert(value) for name, value in one.dimensions},
                    ensure_ascii=False,
                ),
                "value": json_number(one.value),
                "expected": json_number(one.expected),
                "lower": json_number(one.lower),
                "upper": json_number(one.upper),
                "severity": round(one.severity, 2),
                "direction": one.direction.value,
                "reason": one.reason,
                "incident_severity": round(incident.severity, 2),
                "headline": said,
                "url": url,
            }
            for one in incident.anomalies
        ],
    }
