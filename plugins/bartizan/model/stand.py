"""How bad an incident was at a moment: what is worse is measured against it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from bartizan.model.anomaly import Incident


@dataclass(frozen=True)
class Stand:
    """Severity, value and expected value, and whether it asked for a new normal."""

    severity: float
    value: float
    expected: float
    asks_new_normal: bool

    @classmethod
    def of(cls, incident: Incident) -> Stand:
        return cls(incident.severity, incident.value, incident.expected, incident.asks_new_normal)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Stand:
        return cls(**value)
