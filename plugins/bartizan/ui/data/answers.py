"""What a person can say to an incident, what it would change, and saying it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bartizan import jobs
from bartizan.errors import UsageError
from bartizan.model.feedback import Cause, FeedbackKind
from bartizan.model.handling import LONGEST_SNOOZE, HandlingKind
from bartizan.model.story import headline
from bartizan.model.text import inert
from bartizan.store import Store
from bartizan.store.feedback import load_feedback
from bartizan.store.handling import load_handling
from bartizan.store.routing import informed
from bartizan.store.standing import load_chosen
from bartizan.ui.data.audited import audited

MOST_NAMED = 10
LONGEST_HOURS = int(LONGEST_SNOOZE.total_seconds()) // 3600
CAUSES = tuple(one.value for one in Cause)


@dataclass(frozen=True)
class Answer:
    """One thing to say; `handles` tells what is done now from what is learned from."""

    kind: str
    name: str
    done: str
    handles: bool
    needs_why: bool = False


ANSWERS = {
    one.kind: one
    for one in (
        Answer("acknowledge", "Acknowledge", "Acknowledged.", handles=True),
        Answer("snooze", "Snooze", "Snoozed.", handles=True, needs_why=True),
        Answer("resume", "Take back", "Acknowledgement and snooze were taken back.", handles=True),
        Answer("confirmed", "It was real", "Noted as real.", handles=False),
        Answer("expected", "Expected", "Noted as expected.", handles=False, needs_why=True),
        Answer("false_alarm", "False alarm", "Noted as a false alarm.", handles=False),
        Answer("new_normal", "New normal", "Noted as the new normal.", handles=False),
        Answer("none", "Withdraw feedback", "The feedback was withdrawn.", handles=False),
    )
}
_HANDLING = {
    HandlingKind.ACKNOWLEDGE: "No more updates go to {channels}, unless it gets worse by a level "
    "of severity or asks something new. It is not escalated.",
    HandlingKind.SNOOZE: "Nobody is told anything until the snooze ends, unless it gets worse by a "
    "level of severity or asks something new. Then it is told as it is by that time.",
    HandlingKind.RESUME: "Neither acknowledgement nor snooze holds: updates and escalations go out "
    "again.",
}


@dataclass(frozen=True)
class Preview:
    """What an answer would change. `removed` and `altered` are past incidents that would not have
    been told, or otherwise, had it been said before them; `refused` says why it cannot be. `others`
    is how many answers others had given by then."""

    answer: Answer
    incident: str
    headline: str
    effect: str
    removed: tuple[tuple[str, str], ...]
    removed_more: int
    altered: int
    hidden_by: tuple[str, ...]
    refused: str
    others: int


def preview(store: Store, incident_id: str, kind: str, by: str, at: datetime) -> Preview:
    """What would come of an answer; writes nothing. Raises UsageError for what is unknown."""
    answer, incident = _answer(kind), load_chosen(store, [incident_id]).get(incident_id)
    if incident is None:
        raise UsageError("incident", f"{incident_id!r} is unknown", "open it from Now")
    told, others = headline(incident.incident), _of_others(store, incident_id, by)
    if answer.handles:
        channels = ", ".join(sorted(informed(store, incident_id))) or "those who were told"
        effect = _HANDLING[HandlingKind(kind)].format(channels=channels)
        return Preview(answer, incident_id, told, effect, (), 0, 0, (), "", others)
    found = jobs.give_feedback(incident_id, kind, at, by=by, dry_run=True)
    removed, lost = found["would_have_removed"], found["confirmed_lost"]
    named = load_chosen(store, removed[:MOST_NAMED])
    return Preview(
        answer=answer,
        incident=incident_id,
        headline=told,
        effect=found["effect"],
        removed=tuple((name, headline(named[name].incident)) for name in removed[:MOST_NAMED]),
        removed_more=len(removed[MOST_NAMED:]),
        altered=len(found["would_have_changed"]),
        hidden_by=tuple(found["hidden_by"]),
        refused=f"It would have hidden {len(lost)} that were confirmed as real." if lost else "",
        others=others,
    )


def give(
    store: Store,
    incident_id: str,
    kind: str,
    by: str,
    at: datetime,
    why: str = "",
    hours: int = 0,
    cause: str | None = None,
    others: int | None = None,
) -> dict[str, Any]:
    """Say it, and note who said what; returns what the job returns.

    With `others` only where others have said no more than the preview knew. Raises BartizanError as
    the jobs do; that too is noted.
    """
    answer = _answer(kind)

    def say() -> dict[str, Any]:
        if others not in (None, _of_others(store, incident_id, by)):
            raise UsageError("incident", "was answered by somebody else", "look at it again")
        if answer.handles:
            return _handle(incident_id, HandlingKind(kind), by, at, why, hours)
        return jobs.give_feedback(incident_id, kind, at, cause or None, why, by)

    before, subject = _stands(incident_id, at), f"incident {incident_id}"
    return audited(store, at, by, kind, subject, before, say, lambda _: _stands(incident_id, at))


def _answer(kind: str) -> Answer:
    if kind not in ANSWERS:
        raise UsageError("answer", f"{inert(kind)!r} is unknown", f"write {', '.join(ANSWERS)}")
    return ANSWERS[kind]


def _of_others(store: Store, incident_id: str, by: str) -> int:
    """How many answers to an incident are not of this person."""
    said = (one.by for one in load_feedback(store) if one.incident == incident_id)
    done = (one.by for one in load_handling(store, incident_id))
    return sum(name != by for name in (*said, *done))


def _handle(
    incident_id: str, kind: HandlingKind, by: str, at: datetime, why: str, hours: int
) -> dict[str, Any]:
    match kind:
        case HandlingKind.ACKNOWLEDGE:
            return jobs.acknowledge_incident(incident_id, by, at, why)
        case HandlingKind.SNOOZE:
            until = at + timedelta(hours=min(hours, LONGEST_HOURS + 1))
            return jobs.snooze_incident(incident_id, until, by, why, at)
        case HandlingKind.RESUME:
            return jobs.resume_incident(incident_id, by, at, why)


def _stands(incident_id: str, at: datetime) -> dict[str, Any]:
    """What holds of an incident, as the audit keeps it."""
    shown = jobs.show_incident(incident_id, at)
    said = [one for one in jobs.list_feedback() if one["incident"] == incident_id]
    return {
        "acknowledged": shown["acknowledged"],
        "snoozed": shown["snoozed"],
        "feedback": said[-1]["kind"] if said else FeedbackKind.NONE.value,
    }
