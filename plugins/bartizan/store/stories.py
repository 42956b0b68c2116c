"""Which incidents are one story. An incident is joined once, and stays where it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select

from bartizan.model.anomaly import Incident, IncidentState
from bartizan.model.stories import is_history
from bartizan.model.story_link import StoryLink
from bartizan.model.window import format_time
from bartizan.store.database import Store, insert_new
from bartizan.store.incidents import read_change
from bartizan.store.tables import incidents, stories

MOST_NAMED = 10  # other incidents of a story
_MOST_IDS = 500  # in one query
_STANDS = incidents.c.state != IncidentState.WITHDRAWN.value


def without_story(store: Store) -> list[Incident]:
    """Explained incidents that were joined to no story yet; withdrawn ones never are."""
    query = (
        select(incidents)
        .outerjoin(stories, stories.c.incident_id == incidents.c.id)
        .where(stories.c.incident_id.is_(None))
        .where(incidents.c.explanation.is_not(None))
        .where(_STANDS)
    )
    with store.transaction() as connection:
        return [read_change(row).incident for row in connection.execute(query)]


def explained_since(store: Store, end: datetime) -> list[Incident]:
    """Explained incidents that ended after `end`, without withdrawn ones."""
    query = (
        select(incidents)
        .where(incidents.c.end > format_time(end))
        .where(incidents.c.explanation.is_not(None))
        .where(_STANDS)
    )
    with store.transaction() as connection:
        return [read_change(row).incident for row in connection.execute(query)]


def save_stories(store: Store, joined: Iterable[tuple[str, Incident]]) -> None:
    """Keep the story id of incidents that have none yet."""
    rows = [
        {"incident_id": one.id, "story_id": story, "history": is_history(one)}
        for story, one in joined
    ]
    with store.transaction() as connection:
        insert_new(connection, stories, rows)


def story_ids(store: Store, incident_ids: Iterable[str]) -> dict[str, str]:
    """The story of each incident that has one."""
    return {row.incident_id: row.story_id for row in _rows(store, incident_ids)}


def story_links(store: Store, incident_ids: Iterable[str]) -> dict[str, StoryLink]:
    """What messages say of the stories of incidents, where they have one."""
    rows = _rows(store, incident_ids)
    columns = (incidents.c.id, incidents.c.detector, stories.c.story_id)
    query = (
        select(*columns)
        .join(stories, stories.c.incident_id == incidents.c.id)
        .where(_STANDS)
        .order_by(incidents.c.start, incidents.c.detector, incidents.c.measure, incidents.c.id)
    )
    members: dict[str, list[tuple[str, str]]] = {}
    told = sorted({row.story_id for row in rows})
    with store.transaction() as connection:
        for at in range(0, len(told), _MOST_IDS):
            some = query.where(stories.c.story_id.in_(told[at : at + _MOST_IDS]))
            for row in connection.execute(some):
                members.setdefault(row.story_id, []).append((row.detector, row.id))
    return {row.incident_id: _link(row, members) for row in rows}


def _rows(store: Store, incident_ids: Iterable[str]) -> list[Any]:
    ids = sorted(set(incident_ids))
    rows: list[Any] = []
    with store.transaction() as connection:
        for at in range(0, len(ids), _MOST_IDS):
            some = stories.c.incident_id.in_(ids[at : at + _MOST_IDS])
            rows += connection.execute(select(stories).where(some))
    return rows


def _link(row: Any, members: Mapping[str, list[tuple[str, str]]]) -> StoryLink:
    others = [one for one in members.get(row.story_id, ()) if one[1] != row.incident_id]
    more = max(len(others) - MOST_NAMED, 0)
    return StoryLink(row.story_id, tuple(others[:MOST_NAMED]), more, row.history)
