"""An anomaly that was put into a series."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Event:
    """Points [start, end) of the test part; after a shift the new level is the ordinary one."""

    kind: str
    start: int
    end: int
