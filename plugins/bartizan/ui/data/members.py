"""The story of an incident: which others belong to it, and why they are together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bartizan.model.anomaly import Incident
from bartizan.model.leading import leading
from bartizan.model.relations import Move, relations
from bartizan.model.stories import Story
from bartizan.model.story import headline, severity_label, shown
from bartizan.model.text import inert
from bartizan.model.window import Window
from bartizan.store import Store
from bartizan.store.standing import load_chosen, story_members

MOST_MEMBERS = 40


@dataclass(frozen=True)
class Relative:
    """Another incident of the story; `why` it belongs here, `moved` whether before or after."""

    id: str
    headline: str
    severity: int
    label: str
    window: Window
    detector: str
    state: str
    why: str
    moved: str


@dataclass(frozen=True)
class Family:
    """The most severe others of a story, `more` than these belong to it."""

    story: str
    window: Window
    others: tuple[Relative, ...]
    more: int


def family(store: Store, incident: Incident) -> Family | None:
    """The story of an incident, None of one that stands alone."""
    members = story_members(store, incident.id)
    others = sorted(
        (one for one in members if one.id != incident.id),
        key=lambda one: (-one.severity, one.window, one.id),
    )
    if not others:
        return None
    known = load_chosen(store, (one.id for one in others[:MOST_MEMBERS]))
    chosen = [known[one.id].incident for one in others[:MOST_MEMBERS]]
    story = Story(members[0].story, (incident, *chosen))
    moves = {move.incident.id: move for move in relations(story, incident).moves}
    return Family(
        story=story.id,
        window=Window(
            min(one.window.start for one in members), max(one.window.end for one in members)
        ),
        others=tuple(_relative(one, incident, moves.get(one.id)) for one in chosen),
        more=len(others) - len(chosen),
    )


def _relative(one: Incident, to: Incident, move: Move | None) -> Relative:
    return Relative(
        id=one.id,
        headline=headline(one),
        severity=round(one.severity),
        label=severity_label(one.severity).lower(),
        window=one.window,
        detector=one.detector,
        state=one.state.value,
        why=_why(one, to),
        moved=move.in_time if move else "moved at the same time",
    )


def _why(one: Incident, to: Incident) -> str:
    """What both are about, as stories are joined: a place and, unless one is of the place's total,
    a cause."""
    place = one.peak.dimensions[:1]
    same = sorted((leading(one) & leading(to)) - set(place))
    if same:
        return "both are about " + _pairs(same)
    if min(len(one.peak.dimensions), len(to.peak.dimensions)) <= 1:
        return f"one is of the total of {_pairs(place)}" if place else "one is of the total"
    return f"{_pairs(place)}, and the requests of one show what the other is about"


def _pairs(pairs: Sequence[tuple[str, str]]) -> str:
    return ", ".join(f"{inert(name)} {shown(value)}" for name, value in pairs)
