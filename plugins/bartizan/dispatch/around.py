"""Finds the incidents that explain others without comparing each with each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from bartizan.dispatch.controls.inhibition import inhibits
from bartizan.model.anomaly import Incident
from bartizan.model.health import HEALTH


@dataclass(frozen=True)
class Around:
    """Incidents about our own health, and the others by the value of their first dimension, which
    all series of an incident share."""

    health: tuple[Incident, ...]
    wholes: dict[tuple[str, str], list[Incident]]

    @classmethod
    def of(cls, incidents: Iterable[Incident]) -> Around:
        health, wholes = [], defaultdict(list)
        for one in incidents:
            if one.detector == HEALTH:
                health.append(one)
            elif one.anomalies[0].dimensions:
                wholes[one.anomalies[0].dimensions[0]].append(one)
        return cls(tuple(health), wholes)

    def explaining(self, incident: Incident) -> list[Incident]:
        """Those that inhibit the incident."""
        mine = incident.anomalies[0].dimensions
        larger = (
            one
            for value in mine
            for one in self.wholes.get(value, ())
            if len(one.anomalies[0].dimensions) < len(mine)
        )
        return [one for one in (*self.health, *larger) if inhibits(one, incident)]
