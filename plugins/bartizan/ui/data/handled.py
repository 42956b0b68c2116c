"""How an incident is handled at a time, in a few words."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from bartizan.model.anomaly import Incident, IncidentState
from bartizan.model.handling import Handled, Handling
from bartizan.model.story import moment
from bartizan.store import Store
from bartizan.store.handling import load_handling


@dataclass(frozen=True)
class Standing:
    """`word` is open, asks, acknowledged, snoozed, muted, resolved or withdrawn; `text` says who,
    until when or why."""

    word: str
    text: str


def standing(incident: Incident, history: Iterable[Handling], at: datetime) -> Standing:
    if incident.state is not IncidentState.OPEN:
        return Standing(incident.state.value, incident.state.value)
    handled = Handled.by(history)
    snooze = handled.snoozed
    if snooze is not None and snooze.until is not None and at < snooze.until:
        return Standing("snoozed", f"snoozed by {snooze.by} until {moment(snooze.until)}")
    if handled.acknowledged is not None:
        return Standing("acknowledged", f"acknowledged by {handled.acknowledged.by}")
    if incident.muted:
        return Standing("muted", f"muted by the calendar: {incident.muted}")
    if incident.asks_new_normal:
        return Standing("asks", "asks: is this the new normal?")
    return Standing("open", "open, nobody is on it")


def histories(store: Store) -> dict[str, list[Handling]]:
    """All that was done, by incident."""
    found: dict[str, list[Handling]] = defaultdict(list)
    for one in load_handling(store):
        found[one.incident].append(one)
    return found
