"""One incident: what happened, why, who was told, what people said."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bartizan.dispatch.incident_body import IncidentBody, incident_body
from bartizan.errors import UsageError
from bartizan.model.advice import Advice
from bartizan.model.feedback import Feedback
from bartizan.store import Store
from bartizan.store.audit import Audited, load_audit
from bartizan.store.feedback import load_feedback
from bartizan.store.handling import load_handling
from bartizan.store.incidents import load_incident
from bartizan.store.messages import Entry, attempts_of, entries_of
from bartizan.ui.data.advice import advised
from bartizan.ui.data.handled import Standing, standing
from bartizan.ui.data.members import Family, family
from bartizan.ui.data.timeline import Event, timeline


@dataclass(frozen=True)
class IncidentPage:
    """`said` is the feedback that holds, None without any; `audit` what was done in the dashboard,
    the newest first."""

    body: IncidentBody
    change: int
    standing: Standing
    family: Family | None
    advice: tuple[Advice, ...]
    timeline: tuple[Event, ...]
    messages: tuple[Entry, ...]
    said: Feedback | None
    audit: tuple[Audited, ...]


def incident_page(store: Store, incident_id: str, at: datetime) -> IncidentPage:
    """Raises UsageError for an unknown incident."""
    found = load_incident(store, incident_id)
    if found is None:
        raise UsageError("incident", f"{incident_id!r} is unknown", "open it from Now")
    incident = found.incident
    handled = load_handling(store, incident.id)
    said = [one for one in load_feedback(store, incident.detector) if one.incident == incident.id]
    return IncidentPage(
        body=incident_body(incident),
        change=found.change,
        standing=standing(incident, handled, at),
        family=family(store, incident),
        advice=advised(incident).advice,
        timeline=timeline(incident, attempts_of(store, incident.id), handled, said),
        messages=tuple(entries_of(store, incident.id)),
        said=said[-1] if said else None,
        audit=tuple(load_audit(store, f"incident {incident.id}")),
    )
