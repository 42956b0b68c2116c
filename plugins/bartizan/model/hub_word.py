"""What a person said of a finding in Security Hub: its workflow status and note."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bartizan.model.feedback import FeedbackKind
from bartizan.model.text import short

_NOTE, _NAME = 400, 80  # characters that are kept


class WorkflowStatus(StrEnum):
    """What people set; NEW is what the service sets too, so it says nothing."""

    NOTIFIED = "NOTIFIED"
    SUPPRESSED = "SUPPRESSED"
    RESOLVED = "RESOLVED"


# What a note may begin with to be feedback, by status.
_FEEDBACK = {
    WorkflowStatus.NOTIFIED: (),
    WorkflowStatus.SUPPRESSED: (FeedbackKind.EXPECTED, FeedbackKind.FALSE_ALARM),
    WorkflowStatus.RESOLVED: (FeedbackKind.CONFIRMED,),
}


@dataclass(frozen=True)
class HubWord:
    """Of the finding of an incident; `note` and `author` are empty without a note."""

    incident: str
    status: WorkflowStatus
    note: str = ""
    author: str = ""

    @classmethod
    def of(cls, incident: str, status: str, note: str, author: str) -> HubWord:
        """Texts are made inert, and cut. Raises ValueError for NEW and what is no status."""
        return cls(incident, WorkflowStatus(status), short(note, _NOTE), short(author, _NAME))

    @property
    def by(self) -> str:
        """Who said it, as it stands in the history."""
        return f"{self.author} (Security Hub)" if self.author else "Security Hub"

    @property
    def in_words(self) -> str:
        return f"{self.status} in Security Hub" + (f": {self.note}" if self.note else "")

    @property
    def feedback(self) -> FeedbackKind | None:
        """The kind that the note names with its first words; a status alone is no feedback,
        because many are set in bulk or by rules."""
        words = self.note.lower().replace("_", " ")
        for kind in _FEEDBACK[self.status]:
            name = kind.value.replace("_", " ")
            if words.startswith(name) and not words[len(name) : len(name) + 1].isalnum():
                return kind
        return None
