"""What people have said of an incident: it is snoozed, somebody is on it, or what it was. Getting
worse by a level of severity, or a new question, speaks all the same."""

from __future__ import annotations

from bartizan.dispatch.controls.case import Case
from bartizan.dispatch.controls.worse import is_worse
from bartizan.dispatch.rulebook import NO_CHANGE
from bartizan.model.anomaly import IncidentState
from bartizan.model.story import moment
from bartizan.store.routing import Route


def snoozed(case: Case) -> Route | None:
    """Held until the snooze ends, then told as it is by then."""
    word = case.past.handled.snoozed
    if word is None or word.until is None or not word.at <= case.now < word.until:
        return None
    if is_worse(case.incident, word.stand, NO_CHANGE):
        return None
    why = f"snoozed by {word.by} until {moment(word.until)}: {word.why}"
    return case.hold(why) if case.incident.state is IncidentState.OPEN else case.refuse(why)


def acknowledged(case: Case) -> Route | None:
    """No updates for those who were told."""
    word = case.past.handled.acknowledged
    if word is None or not case.is_told or is_worse(case.incident, word.stand, NO_CHANGE):
        return None
    return case.refuse(f"acknowledged by {word.by} at {moment(word.at)}, and not worse since")


def answered(case: Case) -> Route | None:
    """Feedback ends updates too; worse is what is worse than told."""
    before = case.past.told.get(case.channel)
    if not case.past.answered or before is None or is_worse(case.incident, before, NO_CHANGE):
        return None
    return case.refuse(f"feedback says {case.past.answered}, and it is not worse than told")
