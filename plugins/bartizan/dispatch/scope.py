"""Of which incidents and channels a rule, or a quiet time, is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from bartizan.model.anomaly import Anomaly, Direction, Incident

Globs = tuple[str, ...]


@dataclass(frozen=True)
class Scope:
    """None and empty stand for all.

    `measures` and the values of dimensions are globs (`*`, `?`, `[ab]`), exact names without these
    signs. An incident is covered by its values when one of its series has a listed value of every
    dimension in `only`, and none of those in `without`.
    """

    detectors: frozenset[str] | None = None
    channels: frozenset[str] | None = None
    measures: Globs = ()
    direction: Direction | None = None
    only: tuple[tuple[str, Globs], ...] = ()
    without: tuple[tuple[str, Globs], ...] = ()

    def names(self, detector: str, channel: str) -> bool:
        return (self.detectors is None or detector in self.detectors) and (
            self.channels is None or channel in self.channels
        )

    def left_out(self, incident: Incident) -> str:
        """Why an incident of a named detector is not covered; empty when it is."""
        if self.measures and not _matches(incident.measure, self.measures):
            return f"measure {incident.measure} is not listed"
        if self.direction not in (None, incident.direction):
            return f"it is {incident.direction} what was expected"
        if not any(self._covers(one) for one in incident.anomalies):
            names = dict.fromkeys(name for name, _ in (*self.only, *self.without))
            return f"its values of {', '.join(names)} are left out"
        return ""

    def _covers(self, anomaly: Anomaly) -> bool:
        values = dict(anomaly.dimensions)
        return all(
            name in values and _matches(values[name], globs) for name, globs in self.only
        ) and not any(
            name in values and _matches(values[name], globs) for name, globs in self.without
        )


def _matches(value: str, globs: Iterable[str]) -> bool:
    return any(fnmatchcase(value, glob) for glob in globs)
