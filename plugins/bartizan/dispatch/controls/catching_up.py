"""After an outage, hours long past are scored one by one: each incident of them is told once."""

from __future__ import annotations

from datetime import datetime

from bartizan.dispatch.controls.case import Case
from bartizan.dispatch.rulebook import Rulebook
from bartizan.model.anomaly import Incident, IncidentState
from bartizan.model.story import moment
from bartizan.store.routing import Route


def catching_up(case: Case) -> Route | None:
    """What is open waits until it is over, or scoring has come near the present; not for long, so
    that scoring which stands still hides nothing."""
    rule, incident = case.book.catch_up, case.incident
    if rule is None or incident.state is not IncidentState.OPEN:
        return None
    scored = _known_through(incident)
    due = (case.past.seen or case.now) + rule.at_most
    if not rule.is_late(incident, case.now - scored) or due <= case.now:
        return None
    return case.hold(f"scoring catches up, at {moment(scored)}: waits until {moment(due)} at most")


def is_history(book: Rulebook, incident: Incident, found: datetime) -> bool:
    """Whether it was found long after it ended, or long after what is known of it."""
    rule, is_open = book.catch_up, incident.state is IncidentState.OPEN
    last = _known_through(incident) if is_open else incident.window.end
    return rule is not None and rule.is_late(incident, found - last)


def _known_through(incident: Incident) -> datetime:
    """How far was scored when it changed last."""
    return incident.updated_at or incident.window.end
