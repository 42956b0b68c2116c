"""One entry of EventBridge `PutEvents`."""

from __future__ import annotations

from typing import Any

from bartizan.dispatch.context import Context
from bartizan.dispatch.payload import change_kind, encoded
from bartizan.dispatch.shapes import lookout_event
from bartizan.model.anomaly import Incident
from bartizan.model.story import severity_label
from bartizan.model.window import format_time

SCHEMA_VERSION = 1


def shape(incident: Incident, context: Context, change: int) -> dict[str, Any]:
    """The entry; `Detail` is JSON text with the Lookout event and what rules like to filter on.

    `Detail` stays below 240 KB (245,760 bytes).
    """
    detail = {
        "schemaVersion": SCHEMA_VERSION,
        "incidentId": incident.id,
        "changeNumber": change,
        "detector": incident.detector,
        "severityLabel": severity_label(incident.severity),
        "event": lookout_event.shape(incident, context, change),
    }
    return {
        "Source": "bartizan",
        "DetailType": f"Bartizan Incident {change_kind(incident, change).capitalize()}",
        "Time": format_time(incident.window.end),
        "Resources": [context.detector_arn(incident.detector)],
        "Detail": encoded(detail).decode(),
    }
