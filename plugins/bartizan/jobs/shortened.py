"""Ids as people give them: whole, or as much of the beginning as tells them apart.

What is not found is given back as it is: the job that needs it says that it is unknown.
"""

# ruff: noqa: PLC0415  (rooms are imported when they are used: DAG files are parsed often)

from __future__ import annotations

from typing import TYPE_CHECKING

from bartizan.errors import UsageError
from bartizan.jobs.here import open_store

if TYPE_CHECKING:
    from bartizan.store.beginnings import Named

LEAST = 4  # characters
NAMES = 5  # of ids that begin alike


def incident_id(text: str) -> str:
    """The incident's whole id. Raises UsageError where several begin so."""
    from bartizan.store.beginnings import Named

    return _whole(Named.INCIDENT, text)


def plan_id(text: str) -> str:
    """The whole id of a plan. Raises UsageError where several begin so."""
    from bartizan.store.beginnings import Named

    return _whole(Named.PLAN, text)


def change_id(text: str) -> str:
    """The whole id of a change of an IP set. Raises UsageError where several begin so."""
    from bartizan.store.beginnings import Named

    return _whole(Named.CHANGE, text)


def _whole(named: Named, text: str) -> str:
    from bartizan.store.beginnings import ids_beginning

    if len(text) < LEAST:
        return text
    found = ids_beginning(open_store(), named, text, NAMES + 1)
    if len(found) < 2 or text in found:
        return found[0] if found else text
    more = "…" if len(found) > NAMES else ""
    raise UsageError(
        f"{named.name.lower()} {text!r}",
        f"is how several begin: {', '.join(found[:NAMES])}{more}",
        "write more of it",
    )
