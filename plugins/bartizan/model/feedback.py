"""What a person said of an incident, and what that changes from then on.

Feedback is a history: nothing of it is edited, the last word on an incident holds. It never changes
what was scored before it was given.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bartizan.model.anomaly import Direction, Incident
from bartizan.model.story import moment, shown
from bartizan.model.text import inert, number
from bartizan.model.window import format_time

Combination = tuple[tuple[str, str], ...]


class FeedbackKind(StrEnum):
    CONFIRMED = "confirmed"  # a real problem: feedback that would have hidden it is refused
    EXPECTED = "expected"  # real, but planned: its like is held below the alert threshold
    FALSE_ALARM = "false_alarm"  # nothing there: the same
    NEW_NORMAL = "new_normal"  # the level changed for good: learned from the incident's start on
    NONE = "none"  # withdrawn


class Cause(StrEnum):
    """As ThirdEye names them."""

    HOLIDAY = "holiday"
    USER_ERROR = "user_error"
    SOFTWARE = "software"
    FRAUD = "fraud"
    UPGRADE = "upgrade"
    EXTERNAL = "external"
    OTHER = "other"


EXCUSING = (FeedbackKind.EXPECTED, FeedbackKind.FALSE_ALARM)


@dataclass(frozen=True)
class Feedback:
    """The `number`th word on an incident.

    It has an effect on intervals that start in [`since`, `until`), without an end while it is the
    last word: from when it was given (`at`), but never on what was scored already. Alike are series
    that have all dimension values of one of the `combinations`. `begins` is the incident's start;
    `ratio` and `change` are the most by which its values left what was expected.
    """

    incident: str
    number: int
    detector: str
    measure: str
    direction: Direction
    kind: FeedbackKind
    cause: Cause | None
    note: str
    by: str
    at: datetime
    since: datetime
    combinations: tuple[Combination, ...]
    begins: datetime
    ratio: float
    change: float
    until: datetime | None = None

    @property
    def id(self) -> str:
        """What scores name that it changed."""
        return f"{self.incident}/{self.number}"

    @property
    def is_last(self) -> bool:
        return self.until is None

    def says_as(self, other: Feedback) -> bool:
        """Whether both say the same."""
        return (self.kind, self.cause, self.note, self.by) == (
            other.kind,
            other.cause,
            other.note,
            other.by,
        )


def combinations_of(incident: Incident) -> tuple[Combination, ...]:
    """Dimension values that tell series like the incident's: those of its root causes within its
    first dimension value, of its series where no cause was found."""
    first = incident.anomalies[0].dimensions[:1]
    found = incident.explanation.causes if incident.explanation else ()
    causes = {first + tuple(p for p in one.dimensions if p not in first) for one in found}
    return tuple(sorted(causes or {anomaly.dimensions for anomaly in incident.anomalies}))


def proposal(feedback: Feedback, incident: Incident) -> str:
    """What the feedback means for what comes, in a sentence."""
    match feedback.kind:
        case FeedbackKind.CONFIRMED:
            return "Kept as ground truth: feedback that would have removed it is refused."
        case FeedbackKind.EXPECTED:
            why = inert(feedback.note or "as expected").replace('"', "'")
            times = f"start: {format_time(incident.window.start)}, "
            times += f"end: {format_time(incident.window.end)}"
            entry = f'{{{times}, why: "{why}"}}'
            return f"{_ignored(feedback)} With its next dates: calendar: {{mute: [{entry}]}}"
        case FeedbackKind.FALSE_ALARM:
            return _ignored(feedback)
        case FeedbackKind.NEW_NORMAL:
            return (
                f"{_series(feedback)} is learned from {moment(feedback.begins)} on, "
                f"by what is learned after {moment(feedback.since)}."
            )
        case FeedbackKind.NONE:
            return f"Earlier feedback has no effect from {moment(feedback.since)} on."


def _ignored(feedback: Feedback) -> str:
    side = "more" if feedback.direction is Direction.ABOVE else "less"
    factor = f"{number(feedback.ratio)} times and " if math.isfinite(feedback.ratio) else ""
    return (
        f"From {moment(feedback.since)} on no alarm of {inert(feedback.measure)} in "
        f"{_series(feedback)} that is {side} than expected by up to {factor}"
        f"{number(feedback.change)}, or a quarter beyond."
    )


def _series(feedback: Feedback) -> str:
    named = [
        " and ".join(f"{inert(name)} = {shown(value)}" for name, value in one) or "the only series"
        for one in feedback.combinations[:3]
    ]
    more = len(feedback.combinations) - len(named)
    return "; ".join(named) + (f" and {more} more" if more else "")
