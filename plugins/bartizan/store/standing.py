"""Incidents that stand open, with the stories they are part of; and incidents by their ids."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, Select, case, func, select

from bartizan.model.anomaly import IncidentState
from bartizan.model.health import HEALTH
from bartizan.model.window import Window, parse_time
from bartizan.store.database import Store
from bartizan.store.incidents import IncidentChange, read_change
from bartizan.store.tables import incidents, stories

_MOST_IDS = 500  # in one query
_STORY = func.coalesce(stories.c.story_id, incidents.c.id)
_NAMED = _STORY.label("story")
_JOINED = incidents.outerjoin(stories, stories.c.incident_id == incidents.c.id)
_STANDS = incidents.c.state != IncidentState.WITHDRAWN.value
_OPEN = incidents.c.state == IncidentState.OPEN.value
_IS_OPEN = func.max(case((_OPEN, 1), else_=0))


@dataclass(frozen=True)
class Member:
    """An incident of a story, without what is heavy to read; its own story when it was not joined
    to one yet."""

    id: str
    story: str
    detector: str
    measure: str
    window: Window
    severity: float
    state: IncidentState


def open_stories(store: Store, most: int) -> tuple[list[list[Member]], int]:
    """The members of the stories that have an open incident, those whose open ones are the most
    severe first; and how many such stories there are. Those about ourselves are none."""
    worst = func.max(case((_OPEN, incidents.c.severity), else_=-1.0))
    found = _stories().having(_IS_OPEN == 1)
    ordered = found.order_by(worst.desc(), func.min(incidents.c.start), _NAMED)
    with store.transaction() as connection:
        names = list(connection.execute(ordered).scalars())
        return _of_stories(connection, names[:most]), len(names)


def last_stories(store: Store, most: int) -> list[list[Member]]:
    """The members of the stories that ended last and have no open incident, the latest first."""
    ended = _stories().having(_IS_OPEN == 0)
    last = ended.order_by(func.max(incidents.c.end).desc(), _NAMED).limit(most)
    with store.transaction() as connection:
        return _of_stories(connection, list(connection.execute(last).scalars()))


def story_members(store: Store, incident_id: str) -> list[Member]:
    """The incidents of the story that an incident is part of, itself too, by start and id."""
    its_story = select(_STORY).select_from(_JOINED).where(incidents.c.id == incident_id)
    with store.transaction() as connection:
        found = _members(connection, its_story.scalar_subquery() == _STORY)
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


def _stories() -> Select[str]:
    """Of all stories that are not about ourselves, grouped."""
    return (
        select(_NAMED)
        .select_from(_JOINED)
        .where(_STANDS, incidents.c.detector != HEALTH)
        .group_by(_NAMED)
    )


def _of_stories(connection: Connection, names: list[str]) -> list[list[Member]]:
    """The members of each story. Its name is the id of one of them, which may be the only one."""
    joined = select(stories.c.incident_id).where(stories.c.story_id.in_(names))
    found = _members(connection, incidents.c.id.in_(names) | incidents.c.id.in_(joined))
    return [found[name] for name in names]


def _members(connection: Connection, chosen: ColumnElement[bool]) -> dict[str, list[Member]]:
    columns = incidents.c["id", "detector", "measure", "start", "end", "severity", "state"]
    query = (
        select(*columns, _NAMED)
        .select_from(_JOINED)
        .where(chosen, _STANDS)
        .order_by(incidents.c.start, incidents.c.id)
    )
    found: dict[str, list[Member]] = {}
    for row in connection.execute(query):
        member = Member(
            id=row.id,
            story=row.story,
            detector=row.detector,
            measure=row.measure,
            window=Window(parse_time(row.start), parse_time(row.end)),
            severity=row.severity,
            state=IncidentState(row.state),
        )
        found.setdefault(member.story, []).append(member)
    return found
