"""What people say of incidents, and what it changes."""

# ruff: noqa: PLC0415  (rooms are imported when they are used: DAG files are parsed often)

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from bartizan.errors import UsageError
from bartizan.jobs.here import open_store
from bartizan.jobs.metrics import load_connector
from bartizan.model.window import floor, format_time, parse_time

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bartizan.detect.feedback import Effect
    from bartizan.model.anomaly import Incident
    from bartizan.model.connector import Connector
    from bartizan.model.feedback import Cause, Feedback, FeedbackKind
    from bartizan.store import Store


def give_feedback(
    incident_id: str,
    kind: str,
    at: datetime,
    cause: str | None = None,
    note: str = "",
    by: str = "",
    dry_run: bool = False,
) -> dict[str, Any]:
    """Say of an incident what it was, at a time; returns what that changes.

    It holds for intervals from then on that were not scored yet. Nothing is saved in a dry run, or
    when it is what was said last. Raises UsageError for what is unknown, for a time before the last
    word on the incident, and for feedback that would have removed a confirmed incident.
    """
    from bartizan.store.incidents import load_incident
    from bartizan.store.lock import locked

    store = open_store()
    found = load_incident(store, incident_id)
    if found is None:
        raise UsageError(
            f"incident {incident_id!r}", "is unknown", "copy its id from the report or a message"
        )
    incident = found.incident
    word = _Word(_kind(kind), at, _cause(cause), note, by)
    if dry_run:
        return _given(store, incident, word, save=False)
    # What one feedback would remove depends on what others say of the detector's incidents.
    with locked(store, f"feedback-{incident.detector}"):
        return _given(store, incident, word, save=True)


def list_feedback(name: str | None = None) -> list[dict[str, Any]]:
    """All that was said, of one connector's incidents or of all; none of it is ever deleted."""
    from bartizan.store.feedback import load_feedback

    return [_row(one) for one in load_feedback(open_store(), name)]


@dataclass(frozen=True)
class _Word:
    """What was given, of whatever incident."""

    kind: FeedbackKind
    at: datetime
    cause: Cause | None
    note: str
    by: str


def _given(store: Store, incident: Incident, word: _Word, save: bool) -> dict[str, Any]:
    from bartizan.store.feedback import load_feedback, save_feedback

    connector = load_connector(incident.detector)
    said = load_feedback(store, incident.detector)
    before = [one for one in said if one.incident == incident.id]
    given = _feedback(store, connector, incident, before, word)
    is_new = not (before and before[-1].says_as(given))
    effect, lost = _effect(store, connector, given, said)
    hidden_by = _hidden_by(given, incident, connector, said)
    if is_new and save:
        if lost:
            raise UsageError(
                f"feedback on {incident.id}",
                f"as {word.kind} it would have removed the confirmed incident {lost[0]}",
                f"withdraw that first: bartizan feedback withdraw {lost[0]}",
            )
        save_feedback(store, given)
    return _told(given if is_new else before[-1], incident) | {
        "saved": is_new and save,
        "would_have_removed": list(effect.removed),
        "would_have_changed": list(effect.changed),
        "confirmed_lost": lost,
        "hidden_by": hidden_by,
    }


def _feedback(
    store: Store,
    connector: Connector,
    incident: Incident,
    before: Sequence[Feedback],
    word: _Word,
) -> Feedback:
    from bartizan.detect.feedback import limits
    from bartizan.model.feedback import Feedback, combinations_of
    from bartizan.store.detectors import load_detector

    if before and word.at < before[-1].at:
        raise UsageError(
            "--at",
            f"{format_time(word.at)} is before the last word on this incident, "
            f"{format_time(before[-1].at)}",
            "give a later time",
        )
    scored = load_detector(store, connector.name).scored_through
    since = max(
        floor(word.at, connector.frequency),
        *([parse_time(scored)] if scored else []),
        *(one.since for one in before),
        incident.window.start,
    )
    ratio, change = limits(incident)
    return Feedback(
        incident=incident.id,
        number=len(before) + 1,
        detector=incident.detector,
        measure=incident.measure,
        direction=incident.direction,
        kind=word.kind,
        cause=word.cause,
        note=word.note,
        by=word.by,
        at=word.at,
        since=since,
        combinations=combinations_of(incident),
        begins=incident.window.start,
        ratio=ratio,
        change=change,
    )


def _effect(
    store: Store, connector: Connector, given: Feedback, said: Sequence[Feedback]
) -> tuple[Effect, list[str]]:
    """What it would have done to past incidents, and the confirmed ones among those removed."""
    from bartizan.detect.feedback import effect
    from bartizan.model.feedback import EXCUSING, FeedbackKind
    from bartizan.store.alike import load_alike

    excuses = given.kind in EXCUSING
    found = effect(given, load_alike(store, given) if excuses else [], connector)
    confirmed = {
        one.incident
        for one in said
        if one.is_last and one.kind is FeedbackKind.CONFIRMED and one.incident != given.incident
    }
    return found, sorted(confirmed & set(found.removed))


def _hidden_by(
    given: Feedback, incident: Incident, connector: Connector, said: Sequence[Feedback]
) -> list[str]:
    """Other incidents whose feedback holds the like of a confirmed one below an alarm."""
    from bartizan.detect.feedback import effect
    from bartizan.model.feedback import FeedbackKind

    if given.kind is not FeedbackKind.CONFIRMED:
        return []
    others = [one for one in said if one.is_last and one.incident != incident.id]
    return [one.incident for one in others if effect(one, [incident], connector).removed]


def _kind(text: str) -> FeedbackKind:
    from bartizan.model.feedback import FeedbackKind

    if text not in list(FeedbackKind):
        raise UsageError("--kind", f"{text!r} is unknown", f"write {', '.join(FeedbackKind)}")
    return FeedbackKind(text)


def _cause(text: str | None) -> Cause | None:
    from bartizan.model.feedback import Cause

    if text is not None and text not in list(Cause):
        raise UsageError("--cause", f"{text!r} is unknown", f"write {', '.join(Cause)}")
    return Cause(text) if text is not None else None


def _told(given: Feedback, incident: Incident) -> dict[str, Any]:
    from bartizan.model.feedback import proposal

    return _row(given) | {"effect": proposal(given, incident)}


def _row(one: Feedback) -> dict[str, Any]:
    return {
        "incident": one.incident,
        "number": one.number,
        "connector": one.detector,
        "measure": one.measure,
        "direction": one.direction.value,
        "kind": one.kind.value,
        "cause": one.cause.value if one.cause else None,
        "note": one.note,
        "by": one.by,
        "at": format_time(one.at),
        "since": format_time(one.since),
        "until": format_time(one.until) if one.until else None,
        "alike": [dict(combination) for combination in one.combinations],
    }
