"""A plan as people read it: on a terminal, and where they approve it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

LISTED = 20  # networks


def plan_lines(made: dict[str, Any]) -> Iterator[str]:
    """What a plan says, in a few lines; nothing in them was written by a client."""
    radius = made["blast_radius"]
    reach = "not simulated" if radius is None else f"{radius:.4%} of last week's allowed requests"
    yield f"plan {made['id']}  blast radius {reach}"
    for change in made["changes"]:
        yield (
            f"{change['target']}: {len(change['add'])} to add, {len(change['remove'])} to remove, "
            f"{change['keep']} stay"
        )
        why = change["why"]
        yield from some([f"+ {one}  {why.get(one, '')}" for one in change["add"]])
        yield from some([f"- {one}  {why.get(one, '')}" for one in change["remove"]])
    if made["refused"]:
        yield f"refused: {len(made['refused'])}"
        yield from some([f"{one['network']}  {one['why']}" for one in made["refused"]])


def some(lines: list[str]) -> Iterator[str]:
    """The first of them, indented, and how many more there are."""
    yield from (f"  {line}" for line in lines[:LISTED])
    if len(lines) > LISTED:
        yield f"  and {len(lines) - LISTED} more"
