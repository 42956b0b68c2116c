"""One change, one channel: what the controls look at, and the answers they give."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bartizan.dispatch.rulebook import Rulebook
from bartizan.model.anomaly import Incident
from bartizan.store.incidents import IncidentChange
from bartizan.store.routing import Past, Route


@dataclass(frozen=True)
class Case:
    """A change that may go to a channel at `now`."""

    channel: str
    change: IncidentChange
    past: Past
    book: Rulebook
    now: datetime

    @property
    def incident(self) -> Incident:
        return self.change.incident

    @property
    def is_told(self) -> bool:
        """Whether the channel was, or may have been, told of the incident."""
        return self.channel in self.past.heard

    @property
    def known_since(self) -> datetime:
        return self.past.since or self.now

    def tell(self, why: str) -> Route:
        return Route(self.channel, True, why)

    def hold(self, why: str) -> Route:
        """To be looked at again by the next dispatch."""
        return Route(self.channel, None, why)

    def refuse(self, why: str) -> Route:
        return Route(self.channel, False, why)
