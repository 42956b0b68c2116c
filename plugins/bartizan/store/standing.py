"""Incidents that stand open, with the stories they are part of; and incidents by their ids."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, case, func, select

from bartizan.model.anomaly import IncidentState
from bartizan.model.health import HEALTH
from bartizan.model.window import Window, parse_time
from bartizan.store.database import Store
from bartizan.store.incidents import IncidentChange, read_change
from bartizan.store.tables import incidents, stories

_MOST_IDS = 500  # in one query
_STORY = func.coalesce(stories.c.story_id, incidents.c.id)
_JOINED = incidents.outerjoin(stories, stories.c.incident_id == incidents.c.id)


@dataclass(frozen=True)
class Member:
    """An incident of a story, without what is heavy to read; its own story when it was not joined
    to one yet. `is_history`: found long after it ended."""

    id: str
    story: str
    detector: str
    measure: str
    window: Window
    severity: float
    state: IncidentState
    is_history: bool


def open_stories(store: Store) -> dict[str, list[Member]]:
    """The members of every story that has an open incident, by start and id."""
    now_open = select(_STORY).select_from(_JOINED)
    now_open = now_open.where(incidents.c.state == IncidentState.OPEN.value)
    return _members(store, _STORY.in_(now_open))


def last_stories(store: Store, most: int) -> list[list[Member]]:
    """The members of the stories that ended last and have no open incident, the latest first."""
    a_story = _STORY.label("story")
    is_open = func.max(case((incidents.c.state == IncidentState.OPEN.value, 1), else_=0))
    ended = (
        select(a_story)
        .select_from(_JOINED)
        .where(incidents.c.state != IncidentState.WITHDRAWN.value)
        .where(incidents.c.detector != HEALTH)
        .group_by(a_story)
        .having(is_open == 0)
        .order_by(func.max(incidents.c.end).desc(), a_story)
        .limit(most)
    )
    found = _members(store, _STORY.in_(ended))
    latest = sorted(found.values(), key=lambda group: max(one.window.end for one in group))
    return latest[::-1]


def story_members(store: Store, incident_id: str) -> list[Member]:
    """The incidents of the story that an incident is part of, itself too, by start and id."""
    its_story = select(_STORY).select_from(_JOINED).where(incidents.c.id == incident_id)
    found = _members(store, its_story.scalar_subquery() == _STORY)
    return [one for members in found.values() for one in members]


def load_chosen(store: Store, incident_ids: Iterable[str]) -> dict[str, IncidentChange]:
    """The incidents with these ids, of those that there are."""
    ids = sorted(set(incident_ids))
    found: dict[str, IncidentChange] = {}
    with store.transaction() as connection:
        for at in range(0, len(ids), _MOST_IDS):
            some = incidents.c.id.in_(ids[at : at + _MOST_IDS])
            for row in connection.execute(select(incidents).where(some)):
                found[row.id] = read_change(row)
    return found


def _members(store: Store, chosen: ColumnElement[bool]) -> dict[str, list[Member]]:
    columns = incidents.c["id", "detector", "measure", "start", "end", "severity", "state"]
    query = (
        select(*columns, _STORY.label("story"), stories.c.history)
        .select_from(_JOINED)
        .where(chosen)
        .where(incidents.c.state != IncidentState.WITHDRAWN.value)
        .order_by(incidents.c.start, incidents.c.id)
    )
    found: dict[str, list[Member]] = {}
    with store.transaction() as connection:
        for row in connection.execute(query):
            member = Member(
                id=row.id,
                story=row.story,
                detector=row.detector,
                measure=row.measure,
                window=Window(parse_time(row.start), parse_time(row.end)),
                severity=row.severity,
                state=IncidentState(row.state),
                is_history=bool(row.history),
            )
            found.setdefault(member.story, []).append(member)
    return found
