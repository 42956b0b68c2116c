"""Incidents about Bartizan itself: never through the channel they are about, and no hourly news."""

from __future__ import annotations

from bartizan.dispatch.controls.case import Case
from bartizan.dispatch.controls.worse import is_worse
from bartizan.dispatch.rulebook import Change
from bartizan.model.health import HEALTH
from bartizan.store.routing import Route

TWICE = Change(percent=100)


def about_the_channel(case: Case) -> Route | None:
    """Messages that a channel does not take are no news for that channel."""
    if ("channel", case.channel) in _places(case):
        return case.refuse("it is about this channel")
    return None


def goes_on(case: Case) -> Route | None:
    """What lasts is told again when there is twice as much of it."""
    before = case.past.told.get(case.channel)
    if case.incident.detector != HEALTH or before is None:
        return None
    return None if is_worse(case.incident, before, TWICE) else case.refuse("it goes on as told")


def _places(case: Case) -> tuple[tuple[str, str], ...]:
    return case.incident.peak.dimensions if case.incident.detector == HEALTH else ()
