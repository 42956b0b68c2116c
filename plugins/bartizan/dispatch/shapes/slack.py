"""A Slack message: Block Kit blocks with a plain-text fallback."""

from __future__ import annotations

from typing import Any

from bartizan.dispatch.context import Context
from bartizan.dispatch.payload import advised, change_kind, encoded, fitting
from bartizan.dispatch.series import series_of
from bartizan.model.anomaly import Incident
from bartizan.model.story import headline, severity_label, shown, story
from bartizan.model.text import clip, number, short

_HEADER_LIMIT = 150
_TEXT_LIMIT = 3000
_ADVICE_LIMIT = 1200
_MOST = 12_900  # characters of JSON: Slack refuses blocks of about 13,000
_TOP_SERIES = 5
_TOP_SAMPLES = 3
_MARKS = {
    "CRITICAL": "large_red_square",
    "HIGH": "large_orange_square",
    "MEDIUM": "large_yellow_square",
    "LOW": "large_blue_square",
    "INFORMATIONAL": "white_large_square",
}
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def shape(incident: Incident, context: Context, change: int) -> dict[str, Any]:
    """The message: at most 8 blocks, each text at most 3,000 characters.

    Text from logs stands in `plain_text` objects, which Slack does not interpret, or escaped; the
    only link is the one to our console.
    """
    label = severity_label(incident.severity)
    blocks = [
        _header(headline(incident)),
        _section(f":{_MARKS[label]}: *{label}* {_status(incident, change)}"),
        _plain(story(incident)),
        _plain("Series that drive it\n" + "\n".join(_series_lines(incident))),
    ]
    if incident.samples:
        blocks.append(_plain("Example requests\n" + "\n".join(_sample_lines(incident))))
    message = {
        "text": escaped(f"{label}: {headline(incident)}", _TEXT_LIMIT),
        "blocks": [*blocks, _link(context.incident_url(incident.id))],
    }
    more = _more(incident, _MOST - len(encoded(message).decode()))
    return message | {"blocks": [*blocks, *more, _link(context.incident_url(incident.id))]}


def _more(incident: Incident, room: int) -> list[dict[str, Any]]:
    """The other incidents of the story, then advice, as far as there is room for them."""
    texts = (
        incident.story.in_words if incident.story else "",
        clip(advised(incident), _ADVICE_LIMIT),
    )
    return fitting((_plain(text) for text in texts if text), room)


def escaped(text: str, limit: int) -> str:
    """Text for a `mrkdwn` field or fallback; cut so that no entity is cut in two."""
    pieces = [_ENTITIES.get(char, char) for char in text]
    room = limit
    for position, piece in enumerate(pieces):
        room -= len(piece)
        if room < 0:
            return "".join(pieces[:position])
    return "".join(pieces)


def _status(incident: Incident, change: int) -> str:
    kind = change_kind(incident, change)
    return kind if change == 1 else f"{kind} (change {change})"


def _series_lines(incident: Incident) -> list[str]:
    series = series_of(incident)
    lines = [
        f"• {' / '.join(shown(value) for _, value in one.dimensions) or incident.measure}: "
        f"{number(one.value)}, expected {number(one.expected)}"
        for one in series[:_TOP_SERIES]
    ]
    more = len(series) - _TOP_SERIES
    return [*lines, f"... and {more} more"] if more > 0 else lines


def _sample_lines(incident: Incident) -> list[str]:
    keys = ("client_ip", "country", "action", "method", "host", "uri")
    return [
        "• " + " ".join(short(sample.get(key, ""), 120) or "-" for key in keys)
        for sample in incident.samples[:_TOP_SAMPLES]
    ]


def _header(text: str) -> dict[str, Any]:
    return {"type": "header", "text": _plain_text(text, _HEADER_LIMIT)}


def _plain(text: str) -> dict[str, Any]:
    return {"type": "section", "text": _plain_text(text, _TEXT_LIMIT)}


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}


def _link(url: str) -> dict[str, Any]:
    button = {"type": "button", "text": _plain_text("Open in console", 75), "url": url}
    return {"type": "actions", "elements": [button]}


def _plain_text(text: str, limit: int) -> dict[str, Any]:
    return {"type": "plain_text", "text": clip(text, limit), "emoji": False}
