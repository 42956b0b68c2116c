"""Jobs around playbooks, and what is added to an incident where it is shown or told."""

# ruff: noqa: PLC0415  (rooms are imported when they are used: DAG files are parsed often)

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bartizan.config import PROJECT
from bartizan.errors import UsageError
from bartizan.jobs.here import open_store
from bartizan.model.anomaly import Incident

if TYPE_CHECKING:
    from bartizan.dispatch.playbooks import Playbook
    from bartizan.store import Store


def playbooks() -> tuple[Playbook, ...]:
    """Those of BARTIZAN_PLAYBOOKS, a folder, or of include/playbooks."""
    from bartizan.dispatch.playbooks import read_playbooks

    named = os.environ.get("BARTIZAN_PLAYBOOKS")
    return read_playbooks(Path(named) if named else PROJECT / "include" / "playbooks")


def advised() -> Callable[[Incident], Incident]:
    """Adds the advice of playbooks to an incident."""
    from bartizan.dispatch.playbooks import advice

    known = playbooks()
    return lambda incident: replace(incident, advice=advice(incident, known))


def enriched(store: Store) -> Callable[[Incident], Incident]:
    """Adds what is told with an incident: its story, and the advice of playbooks."""
    from bartizan.store.stories import story_links

    with_advice = advised()
    return lambda incident: replace(
        with_advice(incident), story=story_links(store, [incident.id]).get(incident.id)
    )


def list_playbooks() -> list[dict[str, Any]]:
    return [{"name": one.advice.name, "title": one.advice.title} for one in playbooks()]


def check_playbooks(incident_id: str | None) -> dict[str, Any]:
    """How many there are, and which fit the incident. Raises ConfigError for a mistake in one, and
    UsageError for an unknown incident."""
    from bartizan.store.incidents import load_incident

    result: dict[str, Any] = {"playbooks": len(playbooks()), "fitting": []}
    if incident_id is not None:
        change = load_incident(open_store(), incident_id)
        if change is None:
            raise UsageError(incident_id, "is no incident", "see the report for their ids")
        result["fitting"] = [one.name for one in advised()(change.incident).advice]
    return result
