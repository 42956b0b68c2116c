"""What a playbook advises about an incident. Words of ours, never of a log."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Advice:
    """`name` of the playbook, why such a thing happens, what to look at, what to do, https links
    to what says more. `weight`: how much the playbook asked for that was there."""

    name: str
    title: str
    why: str
    check: tuple[str, ...]
    do: tuple[str, ...]
    links: tuple[str, ...] = ()
    weight: int = 0
