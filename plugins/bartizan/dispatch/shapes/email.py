"""An e-mail: subject, plain text, HTML of the same words, and the numbers of its picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from bartizan.dispatch.context import Context
from bartizan.dispatch.payload import advised, change_kind, json_number
from bartizan.dispatch.series import series_of
from bartizan.model.anomaly import Incident
from bartizan.model.story import headline, severity_label, shown, story
from bartizan.model.text import clip, number, short
from bartizan.model.window import format_time

_SUBJECT_LIMIT = 99  # SNS takes fewer than 100 characters
_TOP_SERIES = 10
_TOP_SAMPLES = 5
_SAMPLE_KEYS = ("event_time", "client_ip", "country", "action", "method", "host", "uri", "args")


_PICTURED = 96  # intervals
_PAGES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def shape(incident: Incident, context: Context, change: int) -> dict[str, Any]:
    """`subject` of one line below 100 characters; `body` of lines of plain text; `html`, escaped,
    which shows the picture as `cid:picture`; `picture`: the leading series by interval."""
    kind = change_kind(incident, change)
    news = kind if change == 1 else f"{kind}, change {change}"
    label = severity_label(incident.severity)
    subject = f"[{context.product}: {label}, {news}] {headline(incident)}"
    lines = [
        story(incident),
        "",
        f"Incident   {incident.id} ({incident.state.value})",
        f"Detector   {incident.detector}",
        f"Open       {context.incident_url(incident.id)}",
        "",
        "Series that drive it",
        *_series_lines(incident),
        *_sample_lines(incident),
        *_advice_lines(incident),
        *_story_lines(incident),
    ]
    page = _PAGES.get_template("email.html.j2").render(
        label=label,
        news=news,
        headline=headline(incident),
        story=story(incident),
        facts=(("Incident", incident.id), ("Detector", incident.detector)),
        url=context.incident_url(incident.id),
        series=[line.strip() for line in _series_lines(incident)],
        samples=[line.strip() for line in _sample_lines(incident)[2:]],
        advice=incident.advice,
        related=incident.story.in_words if incident.story else "",
    )
    return {
        "subject": clip(subject, _SUBJECT_LIMIT),
        "body": "\n".join(lines) + "\n",
        "html": page,
        "picture": _picture(incident),
    }


def _picture(incident: Incident) -> list[dict[str, Any]]:
    return [
        {
            "start": format_time(one.interval.start),
            "value": json_number(one.value),
            "expected": json_number(one.expected),
            "lower": json_number(one.lower),
            "upper": json_number(one.upper),
        }
        for one in series_of(incident)[0].anomalies[:_PICTURED]
    ]


def _series_lines(incident: Incident) -> list[str]:
    series = series_of(incident)
    lines = [
        f"  {', '.join(f'{name} {shown(value)}' for name, value in one.dimensions) or 'all'}: "
        f"{number(one.value)}, expected {number(one.expected)}"
        for one in series[:_TOP_SERIES]
    ]
    more = len(series) - _TOP_SERIES
    return [*lines, f"  ... and {more} more"] if more > 0 else lines


def _sample_lines(incident: Incident) -> list[str]:
    if not incident.samples:
        return []
    return ["", "Example requests"] + [
        "  " + " ".join(short(sample.get(key, ""), 200) or "-" for key in _SAMPLE_KEYS)
        for sample in incident.samples[:_TOP_SAMPLES]
    ]


def _advice_lines(incident: Incident) -> list[str]:
    if not incident.advice:
        return []
    links = [f"  {link}" for link in incident.advice[0].links]
    return ["", "What to do", *(f"  {line}" for line in advised(incident).split("\n")), *links]


def _story_lines(incident: Incident) -> list[str]:
    said = incident.story.in_words if incident.story else ""
    return ["", said] if said else []
