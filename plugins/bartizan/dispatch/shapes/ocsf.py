"""An OCSF Detection Finding (class 2004), with `anomaly_analyses`.

Schema: github.com/ocsf/ocsf-schema, classes finding and detection_finding, objects
anomaly_analysis, anomaly, baseline, observation (1.6; `anomaly_analyses` since #1358).
"""

from __future__ import annotations

from typing import Any

from bartizan.dispatch.context import Context
from bartizan.dispatch.payload import MAX_BYTES, encoded, fitting, json_number
from bartizan.dispatch.series import IncidentSeries, series_of
from bartizan.model.anomaly import Incident, IncidentState
from bartizan.model.story import headline, severity_label, shown, story
from bartizan.model.text import clip, number

SCHEMA_VERSION = "1.6.0"
_CLASS, _CATEGORY = 2004, 2
_SEVERITIES = {
    "INFORMATIONAL": (1, "Informational"),
    "LOW": (2, "Low"),
    "MEDIUM": (3, "Medium"),
    "HIGH": (4, "High"),
    "CRITICAL": (5, "Critical"),
}
_STATUSES = {
    IncidentState.OPEN: (1, "New"),
    IncidentState.RESOLVED: (4, "Resolved"),
    IncidentState.WITHDRAWN: (4, "Resolved"),
}
_TITLE_LIMIT, _STORY_LIMIT = 256, 10_000


def shape(incident: Incident, context: Context, change: int) -> dict[str, Any]:
    """At most 240,000 bytes; series with the smallest deviation are left out and counted."""
    activity_id, activity = _activity(incident, change)
    severity_id, severity = _SEVERITIES[severity_label(incident.severity)]
    status_id, status = _STATUSES[incident.state]
    changed = incident.updated_at or incident.window.end
    event: dict[str, Any] = {
        "class_uid": _CLASS,
        "class_name": "Detection Finding",
        "category_uid": _CATEGORY,
        "category_name": "Findings",
        "activity_id": activity_id,
        "activity_name": activity,
        "type_uid": _CLASS * 100 + activity_id,
        "type_name": f"Detection Finding: {activity}",
        "time": _milliseconds(changed.timestamp()),
        "start_time": _milliseconds(incident.window.start.timestamp()),
        "end_time": _milliseconds(incident.window.end.timestamp()),
        "severity_id": severity_id,
        "severity": severity,
        "status_id": status_id,
        "status": status,
        "is_alert": incident.state is IncidentState.OPEN,
        "message": clip(story(incident), _STORY_LIMIT),
        "metadata": {
            "version": SCHEMA_VERSION,
            "profiles": ["cloud"],
            "uid": f"{incident.id}/{change}",
            "product": {"name": context.product, "vendor_name": context.product},
        },
        "cloud": {
            "provider": "AWS",
            "region": context.region,
            "account": {"uid": context.account_id},
        },
        "finding_info": {
            "uid": incident.id,
            "title": clip(headline(incident), _TITLE_LIMIT),
            "created_time": _milliseconds(incident.window.start.timestamp()),
            "modified_time": _milliseconds(changed.timestamp()),
            "src_url": context.incident_url(incident.id),
            "analytic": {"type_id": 3, "type": "Statistical", "name": incident.detector},
        },
        "resources": [_resource(incident)],
        "anomaly_analyses": [],
        "unmapped": {
            "score": round(incident.severity, 2),
            "state": incident.state.value,
            "seriesLeftOut": len(incident.anomalies),  # at least as wide as the final number
        },
    }
    event |= _remediation(incident)
    if incident.story and incident.story.others:
        others = [{"uid": one} for _, one in incident.story.others]
        event["finding_info"]["related_events"] = others
    series = series_of(incident)
    room = MAX_BYTES - len(encoded(event))
    analyses = fitting((_analysis(incident, one) for one in series), room)
    event["unmapped"]["seriesLeftOut"] = len(series) - len(analyses)
    return event | {"anomaly_analyses": analyses}


def _activity(incident: Incident, change: int) -> tuple[int, str]:
    if incident.state is not IncidentState.OPEN:
        return 3, "Close"
    return (1, "Create") if change == 1 else (2, "Update")


def _remediation(incident: Incident) -> dict[str, Any]:
    """What the first playbook says is to be done."""
    if not incident.advice:
        return {}
    first = incident.advice[0]
    return {"remediation": {"desc": " ".join(first.do), "references": list(first.links)}}


def _resource(incident: Incident) -> dict[str, str]:
    webacl = dict(incident.peak.dimensions).get("webacl", "")
    if webacl:
        return {"type": "AWS WAF web ACL", "name": shown(webacl)}
    return {"type": "Detector", "name": incident.detector}


def _analysis(incident: Incident, series: IncidentSeries) -> dict[str, Any]:
    """The peak of a series against what was expected of it."""
    where = ", ".join(f"{name}={shown(value)}" for name, value in series.dimensions) or "all"
    peak = series.peak
    measured = {
        "observation_parameter": incident.measure,
        "observation_type": "Deviation Analysis",
    }
    when = {
        "type_id": 9,
        "type": "Time Interval",
        "start_time": _milliseconds(peak.interval.start.timestamp()),
        "end_time": _milliseconds(peak.interval.end.timestamp()),
    }
    return {
        "analysis_targets": [{"name": where, "type": "Time series"}],
        "baselines": [
            measured
            | {
                "observed_pattern": f"{number(peak.lower)} to {number(peak.upper)}",
                "observations": [{"value": _text(peak.expected), "timespan": when}],
            }
        ],
        "anomalies": [
            measured
            | {
                "observed_pattern": f"{peak.direction.value}: {peak.reason}",
                "observations": [{"value": _text(peak.value), "timespan": when}],
            }
        ],
    }


def _text(value: float) -> str:
    known = json_number(value)
    return "unknown" if known is None else f"{known:.10g}"


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)
