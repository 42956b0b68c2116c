"""A plan as people read it: on a terminal, and where they approve it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

LISTED = 20  # networks


def plan_lines(made: dict[str, Any], most: int = LISTED) -> Iterator[str]:
    """What a plan says, `most` networks of a kind by name; nothing was written by a client."""
    radius = made["blast_radius"]
    reach = "not simulated" if radius is None else f"{radius:.4%} of last week's allowed requests"
    yield f"plan {made['id']}  blast radius {reach}"
    for change in made["changes"]:
        yield (
            f"{change['target']}: {len(change['add'])} to add, {len(change['remove'])} to remove, "
            f"{change['keep']} stay"
        )
        why = change["why"]
        yield from some([f"+ {one}  {why.get(one, '')}" for one in change["add"]], most)
        yield from some([f"- {one}  {why.get(one, '')}" for one in change["remove"]], most)
    if made["refused"]:
        yield f"refused: {len(made['refused'])}"
        yield from some([f"{one['network']}  {one['why']}" for one in made["refused"]])
    for name, why in made["unread"].items():
        yield f"{name}: could not be read: {why}"
    if made["unreadable"]:
        yield f"no addresses: {len(made['unreadable'])} clients of the log"


def some(lines: list[str], most: int = LISTED) -> Iterator[str]:
    """The first of them, indented, and how many more there are."""
    yield from (f"  {line}" for line in lines[:most])
    if len(lines) > most:
        yield f"  and {len(lines) - most} more"
