"""Deploys that people tell of, to be seen beside what was unusual."""

# ruff: noqa: PLC0415  (rooms are imported when they are used: DAG files are parsed often)

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from bartizan.errors import UsageError
from bartizan.jobs.here import open_store
from bartizan.jobs.metrics import load_connector
from bartizan.model.text import inert
from bartizan.model.window import format_time

if TYPE_CHECKING:
    from bartizan.model.deploy import Deploy


def mark_deploy(
    at: datetime, what: str, by: str = "", detector: str = "", webacl: str = ""
) -> dict[str, Any]:
    """Keep that something was deployed at a time; told twice, it is one.

    It changes no score. Raises UsageError for an unknown detector and for a text that is empty or
    longer than 200 characters.
    """
    from bartizan.model.deploy import LONGEST_TEXT, Deploy
    from bartizan.store.deploys import save_deploy

    if detector:
        load_connector(detector)
    told = Deploy(at, what.strip(), detector, webacl.strip(), by.strip()[:LONGEST_TEXT])
    return _row(told) | {"saved": save_deploy(open_store(), told)}


def list_deploys() -> list[dict[str, Any]]:
    """All that were told of, by time."""
    from bartizan.store.deploys import load_deploys

    return [_row(one) for one in load_deploys(open_store())]


def remove_deploy(deploy_id: str) -> dict[str, Any]:
    """Forget one; returns what it was. Raises UsageError for an unknown id."""
    from bartizan.store.deploys import load_deploy
    from bartizan.store.deploys import remove_deploy as remove

    store = open_store()
    found = load_deploy(store, deploy_id)
    if found is None:
        raise UsageError(
            f"deploy {inert(deploy_id)!r}", "is unknown", "copy its id from `bartizan mark list`"
        )
    remove(store, deploy_id)
    return _row(found)


def _row(one: Deploy) -> dict[str, Any]:
    return {
        "id": one.id,
        "at": format_time(one.at),
        "what": one.what,
        "detector": one.detector,
        "webacl": one.webacl,
        "by": one.by,
    }
