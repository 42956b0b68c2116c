"""The body of a webhook: what changed, in a versioned envelope around the alert event."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from bartizan.dispatch.context import Context
from bartizan.dispatch.payload import MAX_BYTES, change_kind, encoded, related
from bartizan.dispatch.shapes import lookout_event
from bartizan.model.anomaly import Incident
from bartizan.model.story import headline, severity_label, story

SCHEMA_VERSION = 1


def shape(incident: Incident, context: Context, change: int) -> dict[str, Any]:
    """At most 240,000 bytes of JSON."""
    envelope = {
        "schemaVersion": SCHEMA_VERSION,
        "incidentId": incident.id,
        "changeNumber": change,
        "changeKind": change_kind(incident, change),
        "detector": incident.detector,
        "severityLabel": severity_label(incident.severity),
        "headline": headline(incident),
        "story": story(incident),
        "url": context.incident_url(incident.id),
        "related": related(incident),
        "playbooks": [asdict(one) for one in incident.advice],
    }
    room = MAX_BYTES - len(encoded(envelope)) - len('"event":,')
    return envelope | {"event": lookout_event.shape(incident, context, change, room)}
