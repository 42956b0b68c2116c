"""Incidents as people handle them: which there are, acknowledged, snoozed."""

# ruff: noqa: PLC0415  (rooms are imported when they are used: DAG files are parsed often)

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

from bartizan.errors import UsageError
from bartizan.jobs.here import open_store
from bartizan.model.window import format_time

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bartizan.model.handling import Handling, HandlingKind
    from bartizan.store import Store
    from bartizan.store.incidents import IncidentChange

LONGEST_TEXT = 500  # characters of a name or a reason


def acknowledge_incident(incident_id: str, by: str, at: datetime, why: str = "") -> dict[str, Any]:
    """Say that somebody is on an open incident: no updates unless it gets worse, no escalation."""
    from bartizan.model.handling import HandlingKind

    return _handle(incident_id, HandlingKind.ACKNOWLEDGE, by, why, at)


def snooze_incident(
    incident_id: str, until: datetime, by: str, why: str, at: datetime
) -> dict[str, Any]:
    """Tell nobody of an open incident until a time, or until it is worse. Said again with another
    time, that one holds. Raises UsageError beyond 90 days."""
    from bartizan.model.handling import LONGEST_SNOOZE, HandlingKind

    if not at < until <= at + LONGEST_SNOOZE:
        raise UsageError(
            "snooze",
            f"{format_time(until)} is not within {LONGEST_SNOOZE.days} days",
            "give a time after now; snooze again when it ends",
        )
    if not why.strip():
        raise UsageError("snooze", "has no reason", "add --why, others will ask")
    return _handle(incident_id, HandlingKind.SNOOZE, by, why, at, until)


def resume_incident(incident_id: str, by: str, at: datetime, why: str = "") -> dict[str, Any]:
    """Take acknowledgement and snooze back."""
    from bartizan.model.handling import HandlingKind

    return _handle(incident_id, HandlingKind.RESUME, by, why, at)


def list_incidents(at: datetime, states: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Incidents in those states, all without any, and how they are handled at a time."""
    from bartizan.store.handling import load_handling
    from bartizan.store.incidents import load_incidents

    store = open_store()
    done: dict[str, list[Handling]] = defaultdict(list)
    for one in load_handling(store):
        done[one.incident].append(one)
    return [
        _line(one, done[one.incident.id], at)
        for one in load_incidents(store, withdrawn=True)
        if not states or one.incident.state in states
    ]


def show_incident(incident_id: str, at: datetime) -> dict[str, Any]:
    """One incident: its story, what was done about it, and what became of its messages."""
    from bartizan.model.story import story
    from bartizan.store.handling import load_handling
    from bartizan.store.messages import entries_of

    store = open_store()
    found = _known(store, incident_id)
    history = load_handling(store, incident_id)
    return _line(found, history, at) | {
        "story": story(found.incident),
        "history": [_row(one) for one in history],
        "messages": [
            {
                "channel": one.message.channel,
                "change": one.message.change,
                "state": one.state.value,
                "why": one.reason or one.receipt,
            }
            for one in entries_of(store, incident_id)
        ],
    }


def _handle(
    incident_id: str,
    kind: HandlingKind,
    by: str,
    why: str,
    at: datetime,
    until: datetime | None = None,
) -> dict[str, Any]:
    """Save it unless it is what was done last. Raises UsageError for what cannot be."""
    from bartizan.model.anomaly import IncidentState
    from bartizan.model.handling import Handling
    from bartizan.model.stand import Stand
    from bartizan.store.handling import load_handling, save_handling

    store = open_store()
    incident = _known(store, incident_id).incident
    history = load_handling(store, incident_id)
    by, why = by.strip()[:LONGEST_TEXT], why.strip()[:LONGEST_TEXT]
    if not by:
        raise UsageError("--by", "is empty", "say who does it")
    if incident.state is not IncidentState.OPEN:
        raise UsageError(
            f"incident {incident_id}",
            f"is {incident.state.value}: nothing more is told of it",
            "see `bartizan incident list`",
        )
    if history and at < history[-1].at:
        raise UsageError(
            "--at",
            f"{format_time(at)} is before what was done last, {format_time(history[-1].at)}",
            "give a later time",
        )
    number, stand = len(history) + 1, Stand.of(incident)
    given = Handling(incident_id, number, kind, by, why, at, until, stand)
    is_new = not (history and history[-1].says_as(given))
    if is_new:
        save_handling(store, given)
    return _row(given if is_new else history[-1]) | {"saved": is_new}


def _known(store: Store, incident_id: str) -> IncidentChange:
    from bartizan.store.incidents import load_incident

    found = load_incident(store, incident_id)
    if found is None:
        raise UsageError(
            f"incident {incident_id!r}", "is unknown", "copy its id from `bartizan incident list`"
        )
    return found


def _line(one: IncidentChange, history: Sequence[Handling], at: datetime) -> dict[str, Any]:
    from bartizan.model.handling import Handled
    from bartizan.model.story import headline, severity_label

    incident, handled = one.incident, Handled.by(history)
    snooze = handled.snoozed
    sleeps = snooze is not None and snooze.until is not None and at < snooze.until
    return {
        "id": incident.id,
        "state": incident.state.value,
        "severity": incident.severity,
        "label": severity_label(incident.severity),
        **incident.window.as_json(),
        "detector": incident.detector,
        "headline": headline(incident),
        "change": one.change,
        "acknowledged": _row(handled.acknowledged) if handled.acknowledged else None,
        "snoozed": _row(snooze) if snooze is not None and sleeps else None,
    }


def _row(one: Handling) -> dict[str, Any]:
    return {
        "incident": one.incident,
        "number": one.number,
        "kind": one.kind.value,
        "by": one.by,
        "why": one.why,
        "at": format_time(one.at),
        "until": None if one.until is None else format_time(one.until),
    }
