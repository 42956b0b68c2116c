"""Who hears of a change, and why not: one pure function."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from bartizan.dispatch.controls.case import Case
from bartizan.dispatch.controls.catching_up import catching_up
from bartizan.dispatch.controls.flapping import flapping
from bartizan.dispatch.controls.handled import acknowledged, answered, snoozed
from bartizan.dispatch.controls.inhibition import inhibited
from bartizan.dispatch.controls.life import never_told, over, owed, unexplained
from bartizan.dispatch.controls.own_health import about_the_channel, goes_on
from bartizan.dispatch.controls.quiet import muted, quiet
from bartizan.dispatch.controls.size import changed, covered, lasting, least_severity, severe
from bartizan.dispatch.controls.waiting import unacknowledged, waited
from bartizan.dispatch.controls.worse import worse
from bartizan.dispatch.rulebook import Rule, Rulebook
from bartizan.store.incidents import IncidentChange
from bartizan.store.routing import Past, Route

# The first that answers decides, whatever the rules say.
CONTROLS: tuple[Callable[[Case], Route | None], ...] = (
    never_told,
    about_the_channel,
    unexplained,
    catching_up,
    flapping,
    over,
    goes_on,
    muted,
    quiet,
    inhibited,
    snoozed,
    acknowledged,
    answered,
    owed,
)

# A rule tells a channel when none of these objects.
CONDITIONS: tuple[Callable[[Case, Rule], Route | None], ...] = (
    covered,
    severe,
    changed,
    lasting,
    worse,
    unacknowledged,
    waited,
)


def route(
    change: IncidentChange,
    past: Past,
    channels: Iterable[str],
    book: Rulebook,
    now: datetime,
) -> tuple[Route, ...]:
    """One route per channel for which the change is not decided yet, in order."""
    return tuple(
        _to(Case(channel, change, past, book, now))
        for channel in channels
        if channel not in past.decided
    )


def _to(case: Case) -> Route:
    for control in CONTROLS:
        if (found := control(case)) is not None:
            return found
    return _by_rules(case)


def _by_rules(case: Case) -> Route:
    """One rule that tells is enough; else one that waits keeps the question open."""
    detector = case.incident.detector
    found = [_by_rule(case, one) for one in case.book.rules if one.names(detector, case.channel)]
    if not found:
        return case.refuse(f"no rule names detector {detector}")
    for sends in (True, None):
        if (first := next((one for one in found if one.sends is sends), None)) is not None:
            return first
    return case.refuse("; ".join(dict.fromkeys(one.why for one in found)))


def _by_rule(case: Case, rule: Rule) -> Route:
    for condition in CONDITIONS:
        if (found := condition(case, rule)) is not None:
            return found
    least = least_severity(case, rule)
    return case.tell(f"severity {case.incident.severity:.2f} reaches {least:g}")
