"""Which story an incident is part of, as messages say it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class StoryLink:
    """`id` of the story; `others`: detector and id of at most ten other incidents of it, in its
    order; `more` follow them. `is_history`: found long after it ended, as after an outage."""

    id: str
    others: tuple[tuple[str, str], ...] = ()
    more: int = 0
    is_history: bool = False

    @property
    def in_words(self) -> str:
        """One sentence with the ids; empty for an incident that stands alone and is of today."""
        late = "Found long after it ended: this is history. " if self.is_history else ""
        if not self.others:
            return late.strip()
        ids = ", ".join(one for _, one in self.others)
        more = f" and {self.more} more" if self.more else ""
        return f"{late}Part of story {self.id}, with {ids}{more}."
