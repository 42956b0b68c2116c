"""An event for the PagerDuty Events API v2, without the routing key."""

from __future__ import annotations

from typing import Any

from bartizan.dispatch.context import Context
from bartizan.dispatch.payload import advised, json_number, related
from bartizan.dispatch.series import series_of
from bartizan.model.anomaly import Incident, IncidentState
from bartizan.model.story import headline, severity_label, shown, story
from bartizan.model.text import clip, number
from bartizan.model.window import format_time

_SUMMARY_LIMIT = 1024
_STORY_LIMIT = 10_000
_TOP_SERIES = 10
_SEVERITIES = {"CRITICAL": "critical", "HIGH": "error", "MEDIUM": "warning"}


def shape(incident: Incident, context: Context, change: int) -> dict[str, Any]:
    """Triggers, or updates, the alert whose `dedup_key` is the incident's id; one that is resolved
    or withdrawn resolves it. Below 100 KB, of 512."""
    event: dict[str, Any] = {
        "event_action": "trigger" if incident.state is IncidentState.OPEN else "resolve",
        "dedup_key": incident.id,
        "client": context.product,
        "client_url": context.incident_url(incident.id),
        "payload": {
            "summary": clip(headline(incident), _SUMMARY_LIMIT),
            "source": incident.detector,
            "severity": _SEVERITIES.get(severity_label(incident.severity), "info"),
            "timestamp": format_time(incident.window.start),
            "component": shown(dict(incident.peak.dimensions).get("webacl", incident.detector)),
            "group": incident.detector,
            "class": incident.measure,
            "custom_details": {
                "story": clip(story(incident), _STORY_LIMIT),
                "score": round(incident.severity, 2),
                "value": json_number(incident.value),
                "expected": json_number(incident.expected),
                "series": _series(incident),
                "change": change,
                "what_to_do": advised(incident),
                "related": related(incident),
            },
        },
    }
    return event


def _series(incident: Incident) -> list[str]:
    series = series_of(incident)
    lines = [
        f"{', '.join(f'{name} {shown(value)}' for name, value in one.dimensions) or 'all'}: "
        f"{number(one.value)}, expected {number(one.expected)}"
        for one in series[:_TOP_SERIES]
    ]
    more = len(series) - _TOP_SERIES
    return [*lines, f"... and {more} more"] if more > 0 else lines
