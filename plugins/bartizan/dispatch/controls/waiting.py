"""What waits: for what joins the incident, and for a person to acknowledge it."""

from __future__ import annotations

from bartizan.dispatch.controls.case import Case
from bartizan.dispatch.rulebook import Rule
from bartizan.model.anomaly import IncidentState
from bartizan.model.story import moment, span
from bartizan.store.routing import Route


def waited(case: Case, rule: Rule) -> Route | None:
    """Known for long enough, so that the first message tells what has joined since."""
    due = case.known_since + rule.wait
    if case.is_told or due <= case.now:
        return None
    return case.hold(f"waits until {moment(due)} for what joins")


def unacknowledged(case: Case, rule: Rule) -> Route | None:
    """Escalation: nobody has acknowledged it for so long. Who was told once stays told."""
    if case.is_told or not rule.unacknowledged_for:
        return None
    if (word := case.past.handled.acknowledged) is not None:
        return case.refuse(f"acknowledged by {word.by} at {moment(word.at)}")
    if case.past.answered:
        return case.refuse(f"feedback says {case.past.answered}")
    if case.incident.state is not IncidentState.OPEN:
        return case.refuse(f"{case.incident.state.value} before it was escalated")
    due = case.known_since + rule.unacknowledged_for
    if due > case.now:
        return case.hold(
            f"waits until {moment(due)}, {span(rule.unacknowledged_for)} unacknowledged"
        )
    return None
