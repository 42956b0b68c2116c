"""Incidents as they are known: opened, changed, explained, resolved, withdrawn.

None is ever deleted, because whoever was told of an incident must hear when it is withdrawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select, update

from bartizan.model.anomaly import (
    Anomaly,
    Contribution,
    Direction,
    Explanation,
    Incident,
    IncidentState,
    RootCause,
)
from bartizan.model.evidence import Evidence, FirstSeen, Impact, Query
from bartizan.model.window import Window, format_time, parse_time
from bartizan.store.database import Store, insert_new, upsert
from bartizan.store.tables import incident_changes, incidents

_OF_EARLIER_BUILDS = {"muted": "", "asks_new_normal": False}  # what their bodies do not say


@dataclass(frozen=True)
class IncidentChange:
    """An incident, the number of its last change (1 = opened), and whether that is explained."""

    incident: Incident
    change: int
    explained: bool


def replace_incidents(
    store: Store, detector: str, window: Window, found: Sequence[Incident]
) -> list[str]:
    """Make `found` the incidents of `detector` that start in `window`; returns ids that changed.

    `window` ends where scoring has come to. An incident that is found again as it was keeps its
    change number, so that scoring a window twice tells nobody anything twice. Every other change is
    noted, in the same transaction, as one that people are to be told of. One that is no longer
    found is withdrawn. A change of nothing but the state keeps the explanation.
    """
    with store.transaction() as connection:
        rows = connection.execute(
            select(incidents)
            .where(incidents.c.detector == detector)
            .where(incidents.c.start >= format_time(window.start))
            .where(incidents.c.start < format_time(window.end))
        )
        before = {row.id: row for row in rows}
        gone = before.keys() - {incident.id for incident in found}
        withdrawn = [
            replace(read_change(before[one]).incident, state=IncidentState.WITHDRAWN)
            for one in sorted(gone)
        ]
        changes = [
            row
            for incident in (*found, *withdrawn)
            if (row := _changed(before.get(incident.id), incident, window.end)) is not None
        ]
        upsert(connection, incidents, changes)
        insert_new(connection, incident_changes, [_to_be_told(row) for row in changes])
        return [row["id"] for row in changes]


def oldest_open(store: Store, detector: str) -> datetime | None:
    """Start of the detector's earliest incident that is open."""
    query = (
        select(func.min(incidents.c.start))
        .where(incidents.c.detector == detector)
        .where(incidents.c.state == IncidentState.OPEN.value)
    )
    with store.transaction() as connection:
        start = connection.execute(query).scalar_one()
    return None if start is None else parse_time(start)


def load_incident(store: Store, incident_id: str) -> IncidentChange | None:
    """One incident, withdrawn ones too; None where none has the id."""
    query = select(incidents).where(incidents.c.id == incident_id)
    with store.transaction() as connection:
        row = connection.execute(query).one_or_none()
    return None if row is None else read_change(row)


def unexplained(store: Store) -> list[IncidentChange]:
    """Incidents whose last change has no explanation yet."""
    query = select(incidents).where(incidents.c.explanation.is_(None)).order_by(incidents.c.start)
    with store.transaction() as connection:
        return [read_change(row) for row in connection.execute(query)]


def save_explanation(store: Store, incident: Incident, change: int) -> bool:
    """Store what explains the incident beside it, if `change` is still its last change.

    Returns whether it was: otherwise the explanation is of something that has changed since.
    """
    explanation = {
        "contributions": [[c.dimension, c.value, c.percent] for c in incident.contributions],
        "samples": list(incident.samples),
        "root_causes": _explanation_body(incident.explanation),
        "evidence": incident.evidence and asdict(incident.evidence),
    }
    statement = (
        update(incidents)
        .where(incidents.c.id == incident.id)
        .where(incidents.c.change == change)
        .values(explanation=explanation)
    )
    with store.transaction() as connection:
        return connection.execute(statement).rowcount == 1


def load_incidents(
    store: Store,
    window: Window | None = None,
    detector: str | None = None,
    withdrawn: bool = False,
) -> list[IncidentChange]:
    """Incidents that start in `window` (all without one), by start, then severity descending.

    Withdrawn ones only when asked for.
    """
    query = select(incidents).order_by(
        incidents.c.start, incidents.c.severity.desc(), incidents.c.id
    )
    if window is not None:
        query = query.where(incidents.c.start >= format_time(window.start)).where(
            incidents.c.start < format_time(window.end)
        )
    if detector is not None:
        query = query.where(incidents.c.detector == detector)
    if not withdrawn:
        query = query.where(incidents.c.state != IncidentState.WITHDRAWN.value)
    with store.transaction() as connection:
        return [read_change(row) for row in connection.execute(query)]


def load_overlapping(store: Store, window: Window) -> list[Incident]:
    """Incidents that overlap a window, by start; no withdrawn ones."""
    query = (
        select(incidents)
        .where(incidents.c.start < format_time(window.end))
        .where(incidents.c.end > format_time(window.start))
        .where(incidents.c.state != IncidentState.WITHDRAWN.value)
        .order_by(incidents.c.start, incidents.c.id)
    )
    with store.transaction() as connection:
        return [read_change(row).incident for row in connection.execute(query)]


def to_body(incident: Incident) -> dict[str, Any]:
    """The incident without its explanation as plain JSON."""
    return {
        "window": incident.window.as_json(),
        "frequency_seconds": incident.frequency_seconds,
        "severity": round(incident.severity, 2),
        "value": incident.value,
        "expected": incident.expected,
        "muted": incident.muted,
        "asks_new_normal": incident.asks_new_normal,
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


def _explanation_body(explanation: Explanation | None) -> dict[str, Any] | None:
    if explanation is None:
        return None
    return {
        "causes": [
            [[list(pair) for pair in one.dimensions], one.value, one.expected, one.percent]
            for one in explanation.causes
        ],
        "rest": [explanation.rest_value, explanation.rest_expected, explanation.rest_normal],
    }


def _changed(old: Any, incident: Incident, at: datetime) -> dict[str, Any] | None:
    """The row of the incident's next change, found at `at`; None when it is as it was."""
    body = to_body(incident)
    if old is None:
        return _row(incident, body | {"updated_at": format_time(at)}, 1, None)
    known = _OF_EARLIER_BUILDS | old.body
    same = known | body == known
    if same and old.state == incident.state:
        return None
    before = read_change(old).incident.updated_at
    later = at if before is None else max(at, before + timedelta(seconds=1))
    body |= {"updated_at": format_time(later)}
    return _row(incident, body, old.change + 1, old.explanation if same else None)


def _to_be_told(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "incident_id": row["id"],
        "change": row["change"],
        "routed": False,
        "state": row["state"],
    }


def _row(incident: Incident, body: dict[str, Any], change: int, explanation: Any) -> dict[str, Any]:
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
        "explanation": explanation,
    }


def read_change(row: Any) -> IncidentChange:
    """What a row of the table of incidents holds."""
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
        muted=body.get("muted", ""),
        asks_new_normal=body.get("asks_new_normal", False),
        updated_at=parse_time(body["updated_at"]) if "updated_at" in body else None,
    )
    if row.explanation is not None:
        incident = replace(
            incident,
            contributions=tuple(Contribution(*c) for c in row.explanation["contributions"]),
            samples=tuple(row.explanation["samples"]),
            explanation=_read_explanation(row.explanation.get("root_causes")),
            evidence=_read_evidence(row.explanation.get("evidence")),
        )
    return IncidentChange(incident, row.change, explained=row.explanation is not None)


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


def _read_explanation(item: dict[str, Any] | None) -> Explanation | None:
    """None too of incidents that were explained before root causes were looked for."""
    if item is None:
        return None
    causes = tuple(
        RootCause(tuple((name, value) for name, value in dimensions), *numbers)
        for dimensions, *numbers in item["causes"]
    )
    return Explanation(causes, *item["rest"])


def _read_evidence(item: dict[str, Any] | None) -> Evidence | None:
    """None too of incidents that were explained by earlier builds."""
    if item is None:
        return None
    return Evidence(
        item["impact"] and Impact(**item["impact"]),
        tuple(FirstSeen(**one) for one in item["first_seen"]),
        tuple(Query(**one) for one in item["queries"]),
    )
