"""What an incident must be for a rule: covered, severe, large and long enough."""

from __future__ import annotations

from bartizan.dispatch.controls.case import Case
from bartizan.dispatch.controls.worse import deviation
from bartizan.dispatch.rulebook import Rule
from bartizan.model.anomaly import Incident
from bartizan.model.text import number
from bartizan.store.routing import Route


def covered(case: Case, rule: Rule) -> Route | None:
    why = rule.left_out(case.incident)
    return case.refuse(why) if why else None


def severe(case: Case, rule: Rule) -> Route | None:
    least = least_severity(case, rule)
    if case.incident.severity < least:
        return case.refuse(f"severity {case.incident.severity:.2f} is below {least:g}")
    return None


def changed(case: Case, rule: Rule) -> Route | None:
    """The value is far enough from the expected one."""
    incident, least = case.incident, rule.min_change
    if least.reached(deviation(incident), incident.expected):
        return None
    return case.refuse(
        f"{number(incident.value)} instead of {number(incident.expected)} is a change of less than "
        f"{number(least.absolute)} and {number(least.percent)}%"
    )


def lasting(case: Case, rule: Rule) -> Route | None:
    """Anomalous in enough intervals in a row before the first message."""
    most = most_intervals(case.incident, rule.among)
    if case.is_told or most >= rule.intervals:
        return None
    return case.refuse(f"anomalous in {most} of {rule.among} intervals, not {rule.intervals}")


def least_severity(case: Case, rule: Rule) -> float:
    if rule.min_severity is None:
        return case.book.threshold(case.incident.detector)
    return rule.min_severity


def most_intervals(incident: Incident, among: int) -> int:
    """The most anomalous intervals that any `among` intervals in a row hold."""
    step = incident.frequency_seconds
    starts = {int(one.interval.start.timestamp()) // step for one in incident.anomalies}
    return max(sum(first <= start < first + among for start in starts) for first in starts)
