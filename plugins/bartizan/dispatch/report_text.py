"""The report without pictures: JSON for machines, Markdown for tickets and chats."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from bartizan.dispatch.payload import json_number
from bartizan.dispatch.report_data import ReportData
from bartizan.dispatch.report_stories import StoryView
from bartizan.dispatch.report_view import IncidentView
from bartizan.dispatch.shapes.lookout_event import dimension_contribution, explanation
from bartizan.model.anomaly import IncidentState
from bartizan.model.story import moment, severity_label, span
from bartizan.model.text import inert, short
from bartizan.model.window import format_time

SCHEMA_VERSION = 1
_VALUE = 256  # characters of a value from a log
_MARKS = re.compile(r"([\\`*_\[\]<>|#~&!$])")
_LINKS = re.compile(r"(?i)(://|www\.|@)")


def as_json(report: ReportData, stories: Sequence[StoryView]) -> dict[str, Any]:
    """Plain values; every text is printable, those of logs are cut."""
    traffic = report.traffic
    return {
        "schemaVersion": SCHEMA_VERSION,
        "title": report.title,
        "start": format_time(report.period.start),
        "end": format_time(report.period.end),
        "figures": {
            "stories": len(stories),
            "incidents": len(report.incidents),
            "openIncidents": _open(report),
            "worstSeverity": max((one.severity for one in report.incidents), default=None),
            "requests": traffic and traffic.requests,
            "blocked": traffic and traffic.blocked,
            "freshThrough": traffic
            and traffic.fresh_through
            and format_time(traffic.fresh_through),
            "tooLate": traffic and traffic.too_late,
            "landed": asdict(report.counts),
            "quarantine": {inert(name): count for name, count in report.quarantine.items()},
        },
        "stories": [_story(view) for view in stories],
        "detectors": [
            {
                "name": inert(one.name),
                "state": one.state.value,
                "reason": inert(one.reason),
                "seriesReady": one.series_ready,
                "series": one.series,
            }
            for one in report.detectors
        ],
    }


def as_markdown(report: ReportData, stories: Sequence[StoryView]) -> str:
    """One section per story. What stands in logs is escaped, and makes no link."""
    return "\n".join(_lines(report, stories)) + "\n"


def escaped(text: str) -> str:
    """Text that Markdown leaves as it is, on one line."""
    return _LINKS.sub(_unlinked, _MARKS.sub(r"\\\1", inert(text)))


def _unlinked(match: re.Match[str]) -> str:
    """Broken by a backslash, which Markdown takes away again, so that it makes no link."""
    return "".join(f"\\{char}" if char in ":/.@" else char for char in match[0])


def _open(report: ReportData) -> int:
    return sum(one.state is IncidentState.OPEN for one in report.incidents)


def _story(view: StoryView) -> dict[str, Any]:
    return {
        "id": view.story.id,
        "start": format_time(view.story.window.start),
        "end": format_time(view.story.window.end),
        "state": view.state,
        "severity": round(view.story.worst.severity, 2),
        "headline": view.lead.headline,
        "leadIncidentId": view.lead.incident.id,
        "incidents": [_incident(one) for one in view.members],
        "relatedMeasures": [
            {
                "incidentId": one.incident.id,
                "detector": inert(one.incident.detector),
                "measure": inert(one.incident.measure),
                "order": one.order.value,
                "lagSeconds": int(one.lag.total_seconds()),
                "percent": one.percent,
            }
            for one in view.relations.moves
        ],
        "relatedUnknownPercent": view.relations.unknown,
        "playbooks": [asdict(one) for one in view.advice],
        "answers": list(view.answers),
    }


def _incident(view: IncidentView) -> dict[str, Any]:
    incident, evidence = view.incident, view.incident.evidence
    return {
        "id": incident.id,
        "detector": inert(incident.detector),
        "measure": inert(incident.measure),
        "start": format_time(incident.window.start),
        "end": format_time(incident.window.end),
        "state": incident.state.value,
        "direction": incident.direction.value,
        "severity": round(incident.severity, 2),
        "severityLabel": severity_label(incident.severity),
        "value": json_number(incident.value),
        "expectedValue": json_number(incident.expected),
        "headline": view.headline,
        "story": view.story,
        "dimensionContribution": dimension_contribution(incident.contributions),
        "explanation": explanation(incident.explanation),
        "firstSeen": [
            {"dimension": one.dimension, "value": short(one.value, _VALUE), "days": one.days}
            for one in (evidence.first_seen if evidence else ())
        ],
        "impact": evidence and evidence.impact and asdict(evidence.impact),
        "queries": [
            {"what": inert(one.what), "sql": "\n".join(map(inert, one.sql.split("\n")))}
            for one in (evidence.queries if evidence else ())
        ],
        "samples": [
            {name: short(value, _VALUE) for name, value in sample.items()}
            for sample in incident.samples
        ],
    }


def _lines(report: ReportData, stories: Sequence[StoryView]) -> Iterator[str]:
    yield f"# {escaped(report.title)}"
    yield ""
    yield f"{moment(report.period.start)} to {moment(report.period.end)}"
    yield ""
    yield from (f"- {line}" for line in _figures(report, stories))
    if stories:
        yield from ("", "| Severity | What | Since | Lasted | State |", "|---|---|---|---|---|")
    for view in stories:
        window = view.story.window
        cells = (
            f"{view.label.lower()} {round(view.story.worst.severity)}",
            escaped(view.lead.headline),
            moment(window.start),
            span(window.end - window.start),
            view.state,
        )
        yield f"| {' | '.join(cells)} |"
    for view in stories:
        yield from _section(view)


def _figures(report: ReportData, stories: Sequence[StoryView]) -> Iterator[str]:
    yield f"{len(report.incidents)} incidents in {len(stories)} stories, {_open(report)} open"
    if traffic := report.traffic:
        blocked = f"{traffic.blocked_percent:.1f}% of them blocked"
        yield f"{traffic.requests:,} requests, {blocked}"
        if traffic.fresh_through:
            yield f"data are fresh to {moment(traffic.fresh_through)}"
        yield f"{traffic.too_late:,} requests too late for their hour"
    if report.objects:
        yield f"{report.counts.quarantined:,} records in quarantine"


def _section(view: StoryView) -> Iterator[str]:
    yield from ("", f"## {view.number}. {escaped(view.lead.headline)}", "")
    yield escaped(view.lead.story)
    if view.others:
        yield from ("", "Other incidents of this story:", "")
    for one in view.members[1:]:
        yield f"- {escaped(one.headline)} ({one.label.lower()}, `{one.incident.id}`)"
    if view.others:
        yield ""
        yield escaped(" ".join(view.relations.sentences()))
    for advice in view.advice[:1]:
        yield from ("", f"**{escaped(advice.title)}**. {escaped(advice.why)}", "")
        yield from (f"- Check: {escaped(text)}" for text in advice.check)
        yield from (f"- Do: {escaped(text)}" for text in advice.do)
    yield from ("", "```", *view.answers, "```")
