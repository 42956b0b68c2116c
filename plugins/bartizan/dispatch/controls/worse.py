"""Told again only when it is worse than what was told."""

from __future__ import annotations

import math

from bartizan.dispatch.controls.case import Case
from bartizan.dispatch.rulebook import Change, Rule
from bartizan.model.anomaly import Incident, IncidentState
from bartizan.model.stand import Stand
from bartizan.model.story import severity_label
from bartizan.model.text import number
from bartizan.store.routing import Route

_LEVELS = ("INFORMATIONAL", "LOW", "MEDIUM", "HIGH", "CRITICAL")


def worse(case: Case, rule: Rule) -> Route | None:
    """An update of what was told here, for rules with `worse_by`."""
    before = case.past.told.get(case.channel)
    if rule.worse_by is None or before is None or case.incident.state is not IncidentState.OPEN:
        return None
    if is_worse(case.incident, before, rule.worse_by):
        return None
    return case.refuse(
        f"not worse than told: {severity_label(before.severity)} and "
        f"{number(before.value)} instead of {number(before.expected)}"
    )


def is_worse(incident: Incident, before: Stand, by: Change) -> bool:
    """The severity has risen a level, the deviation grew by so much, or a question is new."""
    if level(incident.severity) > level(before.severity):
        return True
    if incident.asks_new_normal and not before.asks_new_normal:
        return True
    earlier = _deviation(before.value, before.expected)
    return by.reached(deviation(incident) - earlier, earlier)


def deviation(incident: Incident) -> float:
    """How far the value is from the expected one; from nothing, where that is unknown."""
    return _deviation(incident.value, incident.expected)


def _deviation(value: float, expected: float) -> float:
    return abs(value - expected) if math.isfinite(expected) else abs(value)


def level(severity: float) -> int:
    return _LEVELS.index(severity_label(severity))
