"""A confirmation as the channels that people read take it: two short lines."""

from __future__ import annotations

from html import escape
from typing import Any

from bartizan.dispatch.context import Context
from bartizan.dispatch.payload import encoded
from bartizan.dispatch.shapes.slack import escaped
from bartizan.model.confirmation import Confirmation
from bartizan.model.text import clip
from bartizan.model.window import format_time

_SUBJECT = 99  # characters: SNS takes fewer than 100
_SMS = 160
_FALLBACK = 1_000


def slack(found: Confirmation, context: Context) -> dict[str, Any]:
    """Plain text, in which nothing is a link or a mention."""
    text = f"{found.in_words}\n{found.headline}"
    block = {"type": "plain_text", "text": text, "emoji": False}
    return {
        "text": escaped(found.in_words, _FALLBACK),
        "blocks": [{"type": "section", "text": block}],
    }


def email(found: Confirmation, context: Context) -> dict[str, Any]:
    """`subject` of one line below 100 characters, `body` and `html` of the same words."""
    url = context.incident_url(found.incident.id)
    lines = [found.in_words, found.headline, url]
    paragraphs = "".join(f"<p>{escape(line)}</p>" for line in lines[:2])
    link = f'<p><a href="{escape(url)}">Open the incident</a></p>'
    return {
        "subject": clip(f"[{context.product}] {found.in_words}", _SUBJECT),
        "body": "\n\n".join(lines) + "\n",
        "html": f'<!doctype html>\n<html lang="en"><body>{paragraphs}{link}</body></html>\n',
    }


def sns(found: Confirmation, context: Context) -> dict[str, Any]:
    """The parameters of `Publish`; the attribute `changeKind` tells it from a change of the
    incident."""
    mail, one = email(found, context), found.handling
    fact = {
        "incidentId": one.incident,
        "handled": one.kind.value,
        "by": one.by,
        "why": one.why,
        "until": format_time(one.until) if one.until else None,
    }
    message = {
        "default": encoded(fact).decode(),
        "email": mail["body"],
        "sms": clip(found.in_words, _SMS),
    }
    attributes = {"incidentId": one.incident, "changeKind": one.kind.value}
    return {
        "Subject": mail["subject"],
        "MessageStructure": "json",
        "Message": encoded(message).decode(),
        "MessageAttributes": {
            name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
        },
    }
