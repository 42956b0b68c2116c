"""What ends and begins again and again is told as flapping once, and at last how it ended."""

from __future__ import annotations

from bartizan.dispatch.controls.case import Case
from bartizan.dispatch.controls.worse import is_worse
from bartizan.dispatch.rulebook import NO_CHANGE, Rulebook
from bartizan.model.anomaly import Incident, IncidentState
from bartizan.model.story import span
from bartizan.store.flaps import Flaps
from bartizan.store.routing import Route


def notice(book: Rulebook, channel: str, incident: Incident, flaps: Flaps) -> str:
    """What a channel that is spared hears first; empty while it is not flapping."""
    rule = book.flapping
    ends = flaps.ends.get(channel, 0)
    if rule is None or channel not in rule.channels or ends < rule.after:
        return ""
    if incident.state is not IncidentState.OPEN:
        return f"It was flapping: before this it had ended {ends} times."
    return (
        f"Flapping: it has ended {ends} times in {span(rule.within)}. The rest is for the "
        f"digest; its end is told when it is calm for {span(rule.stable)}."
    )


def flapping(case: Case) -> Route | None:
    """Once told as flapping it is held back while it flaps, unless its severity rises a level; how
    it ends is told when it has been calm for long enough."""
    rule, flaps = case.book.flapping, case.past.flaps
    ends = flaps.ends.get(case.channel, 0)
    if rule is None or case.channel not in rule.channels or ends < rule.after:
        return None
    if case.is_told and case.incident.state is not IncidentState.OPEN:
        is_calm = not flaps.goes_on and flaps.last_end + rule.stable <= case.now
        if is_calm:
            return None
        return case.hold(f"flapping: its end is told when it is calm for {span(rule.stable)}")
    before = flaps.told.get(case.channel)
    if before is None or case.channel in case.past.owed:
        return None
    if is_worse(case.incident, before, NO_CHANGE):
        return None
    return case.refuse(f"flapping, as told: ended {ends} times in {span(rule.within)}")
