"""Joins incidents to stories, once they are explained and before anybody is told."""

from __future__ import annotations

from datetime import timedelta

from bartizan.model.stories import join
from bartizan.store import Store
from bartizan.store.stories import explained_since, save_stories, story_ids, without_story

_LONGEST = timedelta(days=1)  # interval of a connector, by which windows are widened


def join_stories(store: Store) -> int:
    """Join what has no story yet; returns how many incidents these were. Again, it does nothing.

    Incidents that an outage held back are joined all at once: one story per event.
    """
    found = without_story(store)
    if not found:
        return 0
    new = {one.id for one in found}
    begins = min(one.window.start for one in found)
    near = explained_since(store, begins - _LONGEST)
    told = story_ids(store, (one.id for one in near))
    save_stories(
        store,
        ((story.id, one) for story in join(near, told) for one in story.incidents if one.id in new),
    )
    return len(new)
