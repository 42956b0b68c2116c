"""An e-mail: subject and plain-text body."""

from __future__ import annotations

from bartizan.dispatch.context import Context
from bartizan.dispatch.payload import change_kind
from bartizan.dispatch.series import series_of
from bartizan.model.anomaly import Incident
from bartizan.model.story import headline, severity_label, shown, story
from bartizan.model.text import clip, number, short

_SUBJECT_LIMIT = 99  # SNS takes fewer than 100 characters
_TOP_SERIES = 10
_TOP_SAMPLES = 5
_SAMPLE_KEYS = ("event_time", "client_ip", "country", "action", "method", "host", "uri", "args")


def shape(incident: Incident, context: Context, change: int) -> dict[str, str]:
    """`subject` of one line below 100 characters, `body` of lines of plain text."""
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
    ]
    return {"subject": clip(subject, _SUBJECT_LIMIT), "body": "\n".join(lines) + "\n"}


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
