"""The parameters of SNS `Publish`, without the topic.

Machines (queues, functions, HTTP) get the alert event of Lookout for Metrics, people (e-mail, SMS)
get words: one message of structure `json`. What subscriptions filter on stands in the attributes.
"""

from __future__ import annotations

from typing import Any

from bartizan.dispatch.context import Context
from bartizan.dispatch.payload import MAX_BYTES, change_kind, encoded
from bartizan.dispatch.shapes import email, lookout_event
from bartizan.errors import BartizanError
from bartizan.model.anomaly import Incident
from bartizan.model.story import headline, severity_label
from bartizan.model.text import clip, short

MOST_BYTES = 256_000  # of 262,144, which attributes count towards
_SMS_LIMIT = 140  # characters, so that one message holds it even with an ellipsis
_MAIL_LIMIT = 20_000
_ATTRIBUTES = 5_000  # bytes kept for them


def shape(incident: Incident, context: Context, change: int) -> dict[str, Any]:
    """`Subject` below 100 characters, `Message` at most 256,000 bytes, `MessageAttributes`.

    Inside JSON the event's quotes are escaped: series are left out until it fits.
    """
    mail = email.shape(incident, context, change)
    link = context.incident_url(incident.id)
    texts = {
        "email": clip(mail["body"], _MAIL_LIMIT),
        "sms": f"{clip(headline(incident), max(_SMS_LIMIT - len(link), 20))} {link}",
    }
    return {
        "Subject": mail["subject"],
        "MessageStructure": "json",
        "Message": _message(incident, context, change, texts),
        "MessageAttributes": {
            name: {"DataType": kind, "StringValue": value}
            for name, kind, value in _attributes(incident, change)
        },
    }


def _message(incident: Incident, context: Context, change: int, texts: dict[str, str]) -> str:
    room = MOST_BYTES - len(encoded(texts)) - _ATTRIBUTES
    most = MAX_BYTES
    while most > 0:
        event = encoded(lookout_event.shape(incident, context, change, most)).decode()
        size = len(encoded({"default": event}))
        if size <= room:
            return encoded({"default": event} | texts).decode()
        most = most * room // size - 100
    raise BartizanError(f"incident {incident.id}", "its event does not fit into an SNS message")


def _attributes(incident: Incident, change: int) -> list[tuple[str, str, str]]:
    webacl = dict(incident.peak.dimensions).get("webacl", "")
    found = [
        ("incidentId", "String", incident.id),
        ("changeNumber", "Number", str(change)),
        ("changeKind", "String", change_kind(incident, change)),
        ("detector", "String", incident.detector),
        ("measure", "String", incident.measure),
        ("severity", "Number", f"{incident.severity:.2f}"),
        ("severityLabel", "String", severity_label(incident.severity)),
        ("webacl", "String", short(webacl, 256)),
    ]
    return [one for one in found if one[2]]
