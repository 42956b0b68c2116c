"""What happened to an incident, in order of time: the traffic, the messages, the people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from bartizan.model.anomaly import Incident
from bartizan.model.feedback import Feedback, FeedbackKind
from bartizan.model.handling import Handling, HandlingKind
from bartizan.model.story import moment
from bartizan.model.text import number
from bartizan.store.messages import Attempt

_DID = {
    HandlingKind.ACKNOWLEDGE: "acknowledged it",
    HandlingKind.SNOOZE: "snoozed it",
    HandlingKind.RESUME: "took acknowledgement and snooze back",
}


@dataclass(frozen=True)
class Event:
    """`kind` is traffic, message or person; `detail` may be empty."""

    at: datetime
    kind: str
    text: str
    detail: str


def timeline(
    incident: Incident,
    attempts: Iterable[Attempt],
    handled: Iterable[Handling],
    said: Iterable[Feedback],
) -> tuple[Event, ...]:
    events = [
        *_traffic(incident),
        *_messages(attempts),
        *(_handling(one) for one in handled),
        *(_feedback(one) for one in said),
    ]
    return tuple(sorted(events, key=lambda one: one.at))


def _traffic(incident: Incident) -> Iterator[Event]:
    window, peak = incident.window, incident.peak
    yield Event(window.start, "traffic", "First unusual interval", "")
    yield Event(
        peak.interval.start,
        "traffic",
        "Peak",
        f"{number(peak.value)} against an expected {number(peak.expected)}",
    )
    yield Event(window.end, "traffic", "End of the last unusual interval", "")


def _messages(attempts: Iterable[Attempt]) -> Iterator[Event]:
    """What came to the same in the same minute is one event."""

    def alike(one: Attempt) -> tuple[datetime, int, str]:
        return one.at.replace(second=0), one.message.change, one.result.value

    for (at, change, result), group in groupby(sorted(attempts, key=alike), key=alike):
        channels = ", ".join(one.message.channel for one in group)
        yield Event(at, "message", f"Change {change} {result}", channels)


def _handling(one: Handling) -> Event:
    until = f" until {moment(one.until)}" if one.until else ""
    return Event(one.at, "person", f"{one.by} {_DID[one.kind]}{until}", one.why)


def _feedback(one: Feedback) -> Event:
    withdrawn = one.kind is FeedbackKind.NONE
    what = "withdrew the feedback" if withdrawn else f"said: {one.kind.value.replace('_', ' ')}"
    return Event(one.at, "person", f"{one.by or 'somebody'} {what}", one.note)
