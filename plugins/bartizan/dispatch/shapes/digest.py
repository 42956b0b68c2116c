"""A digest as the channels that can hold one take it: words for people, JSON for machines."""

from __future__ import annotations

from typing import Any

from bartizan.dispatch.context import Context
from bartizan.dispatch.digest import Digest
from bartizan.dispatch.digest_html import as_html
from bartizan.dispatch.digest_text import as_json, as_markdown
from bartizan.dispatch.payload import MAX_BYTES, encoded
from bartizan.dispatch.shapes.slack import escaped
from bartizan.model.story import moment

SLACK_LIMIT = 2_900  # characters of a section
MOST_SECTIONS = 10
SCHEMA_VERSION = 1


def email(found: Digest, context: Context) -> dict[str, Any]:
    """`subject`, `body` of plain text and the page as `html`; without a picture."""
    return {
        "subject": f"[{context.product}: digest] {title(found)}",
        "body": as_markdown(found),
        "html": as_html(found, context),
    }


def slack(found: Digest, context: Context) -> dict[str, Any]:
    """Plain text, in which nothing is a link or a mention."""
    text = f"{context.product}: digest, {title(found)}"
    sections = _sections(as_markdown(found))
    more = len(sections) - MOST_SECTIONS
    if more > 0:
        sections = [*sections[:MOST_SECTIONS], "... and more: `bartizan digest` writes all"]
    blocks = [
        {"type": "section", "text": {"type": "plain_text", "text": one, "emoji": False}}
        for one in sections
    ]
    return {"text": escaped(text, SLACK_LIMIT), "blocks": blocks}


def webhook(found: Digest, context: Context) -> dict[str, Any]:
    """At most 240,000 bytes: the least severe incidents are left out, and counted."""
    whole = as_json(found)
    told, suppressed = whole.pop("told"), whole.pop("suppressed")
    body: dict[str, Any] = {
        "schemaVersion": SCHEMA_VERSION,
        "digest": title(found),
        "product": context.product,
    }
    body |= whole | {"leftOut": 0, "told": [], "suppressed": []}
    room = MAX_BYTES - len(encoded(body)) - len("999999")
    for name, lines in (("told", told), ("suppressed", suppressed)):
        for line in lines:
            room -= len(encoded(line)) + 1
            if room < 0:
                body["leftOut"] += 1
            else:
                body[name].append(line)
    return body


def title(found: Digest) -> str:
    return f"{moment(found.window.start)} to {moment(found.window.end)}"


def _sections(text: str) -> list[str]:
    """Whole lines, cut where a section is full."""
    sections = [""]
    for line in text.splitlines():
        if len(sections[-1]) + len(line) + 1 > SLACK_LIMIT:
            sections.append("")
        sections[-1] += f"{line}\n"
    return sections
