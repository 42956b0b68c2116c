"""What the life of an incident decides, whatever the rules say."""

from __future__ import annotations

from bartizan.dispatch.controls.case import Case
from bartizan.model.anomaly import IncidentState
from bartizan.store.routing import Route


def never_told(case: Case) -> Route | None:
    """A withdrawal is for those who were told."""
    if case.incident.state is IncidentState.WITHDRAWN and not case.is_told:
        return case.refuse("withdrawn, and it was never told here")
    return None


def unexplained(case: Case) -> Route | None:
    return None if case.change.explained else case.hold("not explained yet")


def over(case: Case) -> Route | None:
    """Whoever was told of an incident hears how it ends."""
    if case.incident.state is not IncidentState.OPEN and case.is_told:
        return case.tell(f"{case.incident.state.value}, and it was told here")
    return None


def owed(case: Case) -> Route | None:
    """Whoever an earlier change has not reached gets this one in its place."""
    if case.channel in case.past.owed:
        return case.tell("an earlier change has not arrived")
    return None
