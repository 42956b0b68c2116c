"""Incidents as they are known: opened, changed, explained; and the state of detectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import delete, select, update

from bartizan.model.anomaly import (
    Anomaly,
    Contribution,
    Direction,
    Incident,
    IncidentState,
)
from bartizan.model.window import Window, format_time
from bartizan.store.database import Store, upsert
from bartizan.store.tables import incidents


@dataclass(frozen=True)
class IncidentChange:
    """An incident with the number of its last change (1 = opened)."""

    incident: Incident
    change: int


def replace_incidents(
    store: Store, detector: str, window: Window, found: Sequence[Incident]
) -> list[str]:
    """Make `found` the incidents of `detector` that start in `window`; returns ids that changed.

    An incident that is found again as it was keeps its change number, so that scoring a window
    twice tells nobody anything twice. One that is no longer found is removed.
    """
    with store.transaction() as connection:
        rows = connection.execute(
            select(incidents.c.id, incidents.c.change, incidents.c.body)
            .where(incidents.c.detector == detector)
            .where(incidents.c.start >= format_time(window.start))
            .where(incidents.c.start < format_time(window.end))
        )
        before = {row.id: row for row in rows}
        gone = before.keys() - {incident.id for incident in found}
        connection.execute(delete(incidents).where(incidents.c.id.in_(gone)))
        changed = []
        for incident in found:
            body = to_body(incident)
            old = before.get(incident.id)
            if old is not None and old.body == body:
                continue
            changed.append(incident.id)
            row = _row(incident, body, old.change + 1 if old else 1)
            upsert(connection, incidents, [row])
        return changed


def unexplained(store: Store) -> list[Incident]:
    """Incidents whose present form has no explanation yet."""
    query = select(incidents).where(incidents.c.explanation.is_(None)).order_by(incidents.c.start)
    with store.transaction() as connection:
        return [_read(row).incident for row in connection.execute(query)]


def save_explanation(store: Store, incident: Incident) -> None:
    """Store contributions and samples beside the incident; its change number stays."""
    explanation = {
        "contributions": [[c.dimension, c.value, c.percent] for c in incident.contributions],
        "samples": list(incident.samples),
    }
    with store.transaction() as connection:
        connection.execute(
            update(incidents).where(incidents.c.id == incident.id).values(explanation=explanation)
        )


def load_incidents(
    store: Store, window: Window | None = None, detector: str | None = None
) -> list[IncidentChange]:
    """Incidents that start in `window` (all without one), by start, then severity descending."""
    query = select(incidents).order_by(
        incidents.c.start, incidents.c.severity.desc(), incidents.c.id
    )
    if window is not None:
        query = query.where(incidents.c.start >= format_time(window.start)).where(
            incidents.c.start < format_time(window.end)
        )
    if detector is not None:
        query = query.where(incidents.c.detector == detector)
    with store.transaction() as connection:
        return [_read(row) for row in connection.execute(query)]


def to_body(incident: Incident) -> dict[str, Any]:
    """The incident without its explanation as plain JSON."""
    return {
        "window": incident.window.as_json(),
        "frequency_seconds": incident.frequency_seconds,
        "severity": round(incident.severity, 2),
        "value": incident.value,
        "expected": incident.expected,
        "anomalies": [_anomaly_body(anomaly) for anomaly in incident.anomalies],
    }


def _anomaly_body(anomaly: Anomaly) -> dict[str, Any]:
    return {
        "interval": anomaly.interval.as_json(),
        "dimensions": [list(pair) for pair in anomaly.dimensions],
        "value": anomaly.value,
        "expected": anomaly.expected,
        "lower": anomaly.lower,
        "upper": anomaly.upper,
        "severity": round(anomaly.severity, 2),
        "direction": anomaly.direction.value,
        "reason": anomaly.reason,
    }


def _row(incident: Incident, body: dict[str, Any], change: int) -> dict[str, Any]:
    return {
        "id": incident.id,
        "detector": incident.detector,
        "measure": incident.measure,
        "start": format_time(incident.window.start),
        "end": format_time(incident.window.end),
        "severity": incident.severity,
        "direction": incident.direction.value,
        "state": incident.state.value,
        "change": change,
        "body": body,
        "explanation": None,
    }


def _read(row: Any) -> IncidentChange:
    body = row.body
    incident = Incident(
        id=row.id,
        detector=row.detector,
        measure=row.measure,
        window=Window.from_json(body["window"]),
        frequency_seconds=body["frequency_seconds"],
        severity=body["severity"],
        direction=Direction(row.direction),
        value=body["value"],
        expected=body["expected"],
        anomalies=tuple(_read_anomaly(item) for item in body["anomalies"]),
        state=IncidentState(row.state),
    )
    if row.explanation is not None:
        incident = replace(
            incident,
            contributions=tuple(Contribution(*c) for c in row.explanation["contributions"]),
            samples=tuple(row.explanation["samples"]),
        )
    return IncidentChange(incident, row.change)


def _read_anomaly(item: dict[str, Any]) -> Anomaly:
    return Anomaly(
        interval=Window.from_json(item["interval"]),
        dimensions=tuple((name, value) for name, value in item["dimensions"]),
        value=item["value"],
        expected=item["expected"],
        lower=item["lower"],
        upper=item["upper"],
        severity=item["severity"],
        direction=Direction(item["direction"]),
        reason=item["reason"],
    )
