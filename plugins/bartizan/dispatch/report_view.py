"""What the template shows of each incident and attack, computed from the report's data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from bartizan.dispatch.incident_body import IncidentBody, incident_body
from bartizan.dispatch.plots import plot
from bartizan.dispatch.report_data import ReportData
from bartizan.model.anomaly import Incident
from bartizan.model.attack import AttackLabel
from bartizan.model.matching import match
from bartizan.model.stories import Story
from bartizan.model.story import severity_label
from bartizan.model.window import Window

_LABELS = ("CRITICAL", "HIGH", "MEDIUM", "LOW", "INFORMATIONAL")


@dataclass(frozen=True)
class Bar:
    """A stretch of the report's period, in percent of its length."""

    left: float
    width: float


@dataclass(frozen=True)
class IncidentView(IncidentBody):
    """An incident in a report: `number` is its place, `bar` its time in the period."""

    number: int
    bar: Bar
    plot: Markup


@dataclass(frozen=True)
class AttackView:
    attack: AttackLabel
    bar: Bar
    found_by: tuple[IncidentView, ...]


@dataclass(frozen=True)
class AttacksView:
    """The known attacks, and the incidents of stories that none of them explains."""

    attacks: tuple[AttackView, ...]
    unmatched: tuple[IncidentView, ...]
    found: int


def incident_views(
    report: ReportData, plotted: Collection[str] | None = None
) -> tuple[IncidentView, ...]:
    """One view per incident, numbered from 1 in the report's order.

    With a plot for the incidents that `plotted` names, or for all.
    """
    return tuple(
        _incident_view(position, incident, report, plotted is None or incident.id in plotted)
        for position, incident in enumerate(report.incidents, start=1)
    )


def attack_views(
    report: ReportData, views: Sequence[IncidentView], stories: Sequence[Story]
) -> AttacksView:
    """Known attacks against the incidents of the report."""
    by_id = {view.incident.id: view for view in views}
    matching = match(report.labels, report.incidents)
    apart = {incident.id for incident in matching.unmatched}
    alone = {
        one.id
        for story in stories
        if all(incident.id in apart for incident in story.incidents)
        for one in story.incidents
    }
    return AttacksView(
        attacks=tuple(
            AttackView(
                one.attack,
                bar(one.attack.window, report.period),
                tuple(by_id[incident.id] for incident in one.incidents),
            )
            for one in matching.attacks
        ),
        unmatched=tuple(view for view in views if view.incident.id in alone),
        found=matching.found,
    )


def severity_counts(report: ReportData) -> dict[str, int]:
    """Number of incidents per severity label, the worst first; no label without incidents."""
    counts = Counter(severity_label(incident.severity) for incident in report.incidents)
    return {label: counts[label] for label in _LABELS if counts[label]}


def _incident_view(
    position: int, incident: Incident, report: ReportData, plotted: bool
) -> IncidentView:
    body, scores = incident_body(incident), report.scores.get(incident.detector)
    svg = "" if scores is None or not plotted else plot(scores, incident, body.driver)
    return IncidentView(
        **vars(body),
        number=position,
        bar=bar(incident.window, report.period),
        plot=Markup(svg),  # made of numbers: no text of the log is in it
    )


def bar(window: Window, period: Window) -> Bar:
    """At least 0.8 % of the period wide, so that five minutes of a week can be seen; inside it."""
    length = period.end - period.start
    left = min(max((window.start - period.start) / length, 0.0), 1.0)
    right = min(max((window.end - period.start) / length, 0.0), 1.0)
    width = max(right - left, 0.008)
    return Bar(round(100 * min(left, 1 - width), 2), round(100 * width, 2))
