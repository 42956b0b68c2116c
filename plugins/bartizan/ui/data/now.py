"""Now: what is wrong at this moment, as stories, and whether the data behind it can be trusted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bartizan.model.anomaly import Incident, IncidentState
from bartizan.model.story import drivers, headline, severity_label, shown
from bartizan.model.window import Window
from bartizan.store import Store
from bartizan.store.feedback import feedback_that_holds
from bartizan.store.standing import Member, last_stories, load_chosen, open_stories
from bartizan.ui.data.advice import advised
from bartizan.ui.data.freshness import Freshness, Learner, freshness, learners
from bartizan.ui.data.handled import Standing, histories, standing

MOST_STORIES = 50
MOST_OVER = 15


@dataclass(frozen=True)
class StoryCard:
    """A story that is open, told by its most severe incident that is, the `lead`.

    `about` are dimension values that hold most of it; `impact` what got through, empty where that
    is not known; `next_step` what to do first.
    """

    story: str
    lead: str
    headline: str
    severity: int
    label: str
    window: Window
    detector: str
    incidents: int
    about: tuple[tuple[str, str], ...]
    impact: str
    standing: Standing
    next_step: str


@dataclass(frozen=True)
class Over:
    """A story that is over, told by its most severe incident; `said` is the feedback on that."""

    lead: str
    headline: str
    severity: int
    label: str
    window: Window
    incidents: int
    said: str


@dataclass(frozen=True)
class Now:
    """The most severe open stories, `more` than these are open; and the last that are over."""

    at: datetime
    freshness: Freshness
    learners: tuple[Learner, ...]
    stories: tuple[StoryCard, ...]
    more: int
    over: tuple[Over, ...]

    @property
    def calm(self) -> bool:
        return not self.stories


def now(store: Store, at: datetime) -> Now:
    """What is open at a time."""
    found, number = open_stories(store, MOST_STORIES)
    leads = load_chosen(store, (_lead(members).id for members in found))
    done = histories(store)
    return Now(
        at=at,
        freshness=freshness(store),
        learners=learners(store),
        stories=tuple(
            _card(members, incident, standing(incident, done[incident.id], at))
            for members in found
            for incident in [leads[_lead(members).id].incident]
        ),
        more=number - len(found),
        over=_over(store),
    )


def _over(store: Store) -> tuple[Over, ...]:
    ended = last_stories(store, MOST_OVER)
    worst = {members[0].story: max(members, key=lambda one: one.severity) for members in ended}
    known = load_chosen(store, (one.id for one in worst.values()))
    said = feedback_that_holds(store, known)
    return tuple(
        Over(
            lead=lead.id,
            headline=headline(known[lead.id].incident),
            severity=round(lead.severity),
            label=severity_label(lead.severity).lower(),
            window=_span(members),
            incidents=len(members),
            said=said.get(lead.id, ""),
        )
        for members in ended
        for lead in [worst[members[0].story]]
    )


def _lead(members: Sequence[Member]) -> Member:
    """The most severe that is open, the earliest of equals."""
    return max(
        (one for one in members if one.state is IncidentState.OPEN), key=lambda one: one.severity
    )


def _span(members: Sequence[Member]) -> Window:
    return Window(members[0].window.start, max(one.window.end for one in members))


def _card(members: Sequence[Member], lead: Incident, stands: Standing) -> StoryCard:
    return StoryCard(
        story=members[0].story,
        lead=lead.id,
        headline=headline(lead),
        severity=round(lead.severity),
        label=severity_label(lead.severity).lower(),
        window=_span(members),
        detector=lead.detector,
        incidents=len(members),
        about=tuple((name, shown(value)) for name, value in drivers(lead)),
        impact=lead.evidence.impact.in_words if lead.evidence and lead.evidence.impact else "",
        standing=stands,
        next_step=_next_step(lead, stands),
    )


def _next_step(lead: Incident, stands: Standing) -> str:
    """The first thing that a playbook has one check; else to answer what is asked."""
    if stands.word == "asks":
        return "Say whether this is the new normal."
    advice = advised(lead).advice
    if advice and advice[0].check:
        return advice[0].check[0]
    return "Look at its evidence, then say whether it was real."
