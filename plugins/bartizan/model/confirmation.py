"""What somebody did about an incident, in words for those who were told of it."""

from __future__ import annotations

from dataclasses import dataclass

from bartizan.model.anomaly import Incident
from bartizan.model.handling import Handling, HandlingKind
from bartizan.model.story import headline, moment
from bartizan.model.text import short

_DID = {
    HandlingKind.ACKNOWLEDGE: "Acknowledged",
    HandlingKind.SNOOZE: "Snoozed",
    HandlingKind.RESUME: "Acknowledgement and snooze taken back",
}
_WORDS = 300  # characters of a name, and of a reason


@dataclass(frozen=True)
class Confirmation:
    """The last thing that was done about an open incident."""

    incident: Incident
    handling: Handling

    @property
    def in_words(self) -> str:
        """One inert sentence: what, by whom, until when, why."""
        one = self.handling
        until = f" until {moment(one.until)}" if one.until else ""
        why = f": {short(one.why, _WORDS)}" if one.why else ""
        return f"{_DID[one.kind]} by {short(one.by, _WORDS)}{until}{why}"

    @property
    def headline(self) -> str:
        return headline(self.incident)
