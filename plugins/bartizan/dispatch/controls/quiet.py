"""Times in which less is told: the connector's calendar, and `quiet:` of alerts.yaml.

Scoring goes on. What counts is when the incident was: all of its anomalous intervals lie in the
range, by their middle. One that goes on after it is told then.
"""

from __future__ import annotations

from bartizan.dispatch.controls.case import Case
from bartizan.dispatch.rulebook import Quiet
from bartizan.model.anomaly import Incident
from bartizan.model.recurrence import occurrences
from bartizan.store.routing import Route


def muted(case: Case) -> Route | None:
    """By the calendar of the connector."""
    return case.refuse(f"muted: {case.incident.muted}") if case.incident.muted else None


def quiet(case: Case) -> Route | None:
    """By a quiet time of alerts.yaml."""
    for one in case.book.quiet:
        if one.names(case.incident.detector, case.channel) and _covers(one, case.incident):
            if one.min_severity is None:
                return case.refuse(f"quiet, {one.why}")
            if case.incident.severity < one.min_severity:
                below = f"severity {case.incident.severity:.2f} is below {one.min_severity:g}"
                return case.refuse(f"quiet, {one.why}: {below}")
    return None


def _covers(one: Quiet, incident: Incident) -> bool:
    if one.left_out(incident):
        return False
    found = occurrences(one.times.muted, one.times.timezone, incident.window)
    middles = {
        anomaly.interval.start + (anomaly.interval.end - anomaly.interval.start) / 2
        for anomaly in incident.anomalies
    }
    return all(any(middle in range_.window for range_ in found) for middle in middles)
