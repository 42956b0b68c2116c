"""What people did about an incident: acknowledged it, snoozed it, took that back.

A history that only grows; the last word of each kind holds.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bartizan.model.stand import Stand

LONGEST_SNOOZE = timedelta(days=90)


class HandlingKind(StrEnum):
    ACKNOWLEDGE = "acknowledge"  # somebody is on it: no updates unless it gets worse
    SNOOZE = "snooze"  # nothing until a time, or until it is worse
    RESUME = "resume"  # neither holds any longer


@dataclass(frozen=True)
class Handling:
    """The `number`th thing done about an incident, `at` a time, when it stood so.

    `until` is the end of a snooze, None of anything else.
    """

    incident: str
    number: int
    kind: HandlingKind
    by: str
    why: str
    at: datetime
    until: datetime | None
    stand: Stand

    def says_as(self, other: Handling) -> bool:
        """Whether both say the same."""
        return (self.kind, self.by, self.why, self.until) == (
            other.kind,
            other.by,
            other.why,
            other.until,
        )


@dataclass(frozen=True)
class Handled:
    """What holds of an incident: its acknowledgement and its snooze."""

    acknowledged: Handling | None = None
    snoozed: Handling | None = None

    @classmethod
    def by(cls, history: Iterable[Handling]) -> Handled:
        """After all of its history, in order."""
        found = cls()
        for one in history:
            match one.kind:
                case HandlingKind.ACKNOWLEDGE:
                    found = cls(one, found.snoozed)
                case HandlingKind.SNOOZE:
                    found = cls(found.acknowledged, one)
                case HandlingKind.RESUME:
                    found = cls()
        return found


NOT_HANDLED = Handled()
