"""What moved first within a story: an order in time, never a proof of cause.

Shares weigh each other incident by its severity and by how much of the time both were there (the
Jaccard index of their windows). What began in an interval that overlaps with the first of the
lead has no order that could be known: it is the unknown rest, and all add to 100.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from bartizan.model.anomaly import Incident
from bartizan.model.stories import Story, order
from bartizan.model.story import span
from bartizan.model.text import inert
from bartizan.model.window import Window


class Order(StrEnum):
    FIRST = "moved first"
    LATER = "moved later"


@dataclass(frozen=True)
class Move:
    """An incident that began before the lead, or after it, by `lag`; `percent` is its share."""

    incident: Incident
    order: Order
    lag: timedelta
    percent: int

    @property
    def in_words(self) -> str:
        name = f"{inert(self.incident.measure)} of {inert(self.incident.detector)}"
        return f"{name} {self.in_time} ({self.percent}%)"

    @property
    def in_time(self) -> str:
        side = "before" if self.order is Order.FIRST else "after"
        return f"{self.order.value}, {span(self.lag)} {side}"


@dataclass(frozen=True)
class Relations:
    """Moves by share, the largest first; `unknown` percent has no known order."""

    moves: tuple[Move, ...]
    unknown: int

    def sentences(self) -> Iterator[str]:
        yield from (f"{one.in_words}." for one in self.moves)
        if self.unknown:
            yield f"The order of the rest ({self.unknown}%) is unknown: it moved at the same time."
        if self.moves:
            yield "What moved first need not be the cause."


def relations(story: Story, lead: Incident) -> Relations:
    """How the other incidents of the story lie to `lead`, which is one of it."""
    others = [one for one in story.incidents if one.id != lead.id]
    shares = _percents([_weight(one, lead) for one in others])
    moves = [
        Move(one, *found, percent)
        for one, percent in zip(others, shares, strict=True)
        if (found := _order(one, lead)) is not None
    ]
    moves.sort(key=lambda one: (-one.percent, order(one.incident)))
    return Relations(tuple(moves), sum(shares) - sum(one.percent for one in moves))


def _order(one: Incident, lead: Incident) -> tuple[Order, timedelta] | None:
    mine, first = _first_interval(one), _first_interval(lead)
    if mine.end <= first.start:
        return Order.FIRST, first.start - mine.start
    if first.end <= mine.start:
        return Order.LATER, mine.start - first.start
    return None


def _first_interval(incident: Incident) -> Window:
    start = incident.window.start
    return Window(start, start + timedelta(seconds=incident.frequency_seconds))


def _weight(one: Incident, lead: Incident) -> float:
    """At least a little, so that every incident of a story counts."""
    both = one.window.intersection(lead.window)
    shared = both.end - both.start if both else timedelta()
    either = max(one.window.end, lead.window.end) - min(one.window.start, lead.window.start)
    return max(one.severity, 1.0) * max(shared / either, 0.01)


def _percents(weights: Sequence[float]) -> list[int]:
    """Whole numbers that add to 100 (largest remainder), the earlier first among equals."""
    total = sum(weights)
    quotas = [100 * weight / total for weight in weights]
    shares = [int(quota) for quota in quotas]
    by_remainder = sorted(range(len(quotas)), key=lambda at: (shares[at] - quotas[at], at))
    for at in by_remainder[: 100 - sum(shares) if shares else 0]:
        shares[at] += 1
    return shares
