"""Incidents about Bartizan itself, which go the way of all others: rules, outbox, channels.

One stays open while the trouble lasts, and is resolved when it is over, or lies seven days back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bartizan.dispatch.health_checks import (
    LATE_AFTER,
    TOLD_FOR,
    Finding,
    behind,
    dead,
    edited,
    failed,
    hours_looked_at,
    incomplete_logs,
    rejected,
    without_logs,
)
from bartizan.model.anomaly import Anomaly, Direction, Incident, IncidentState
from bartizan.model.connector import Connector
from bartizan.model.health import HEALTH
from bartizan.model.ids import stable_uuid
from bartizan.model.window import HOUR, Window, floor, format_time
from bartizan.store import Store
from bartizan.store.detectors import load_detector
from bartizan.store.health import dead_messages, incomplete_hours, rejected_batches
from bartizan.store.incidents import (
    load_incidents,
    replace_incidents,
    save_explanation,
    unexplained,
)
from bartizan.store.intel_drift import drifts
from bartizan.store.landing import landed_hours

REASON = "own_health"


def check_health(
    store: Store,
    connectors: Mapping[str, Connector],
    now: datetime,
    late_after: timedelta = LATE_AFTER,
) -> list[str]:
    """Bring the incidents about our own health up to date; returns the ids that changed."""
    records = {name: load_detector(store, name) for name in connectors}
    findings = [
        *without_logs(landed_hours(store), now, late_after),
        *incomplete_logs(incomplete_hours(store, hours_looked_at(now))),
        *rejected(rejected_batches(store)),
        *dead(dead_messages(store)),
        *failed(records.values()),
        *behind(records, connectors, now, late_after),
        *edited(drifts(store, Window(now - TOLD_FOR, now + HOUR))),
    ]
    before = [one.incident for one in load_incidents(store, detector=HEALTH)]
    incidents = up_to_date(findings, before, now)
    if not incidents:
        return []
    start = min(one.window.start for one in incidents)
    window = Window(start, max(now, start + timedelta(seconds=1)))
    changed = replace_incidents(store, HEALTH, window, incidents)
    for one in unexplained(store):
        if one.incident.detector == HEALTH:
            save_explanation(store, one.incident, one.change)
    return changed


def up_to_date(
    findings: Iterable[Finding], before: Sequence[Incident], now: datetime
) -> list[Incident]:
    """The incidents of all findings, and those `before` that are over, as resolved."""
    found = {one.id: one for one in (_incident(finding, before, now) for finding in findings)}
    over = [
        replace(one, state=IncidentState.RESOLVED, updated_at=None)
        for one in before
        if one.id not in found
    ]
    return [*over, *found.values()]


def _incident(finding: Finding, before: Sequence[Incident], now: datetime) -> Incident:
    """The open incident that the finding goes on with, or a new one; an id never changes."""
    this_hour = Window(floor(now, HOUR), floor(now, HOUR) + HOUR)
    earlier = next((one for one in before if _goes_on(finding, one)), None)
    windows = finding.windows or (this_hour if earlier is None else earlier.window,)
    first = windows[0].start if earlier is None else earlier.window.start
    window = Window(first, max(windows[-1].end, first + HOUR))
    where = finding.dimensions
    new_id = stable_uuid(HEALTH, finding.measure, *where, format_time(first))
    return Incident(
        id=new_id if earlier is None else earlier.id,
        detector=HEALTH,
        measure=finding.measure.value,
        window=window,
        frequency_seconds=int(HOUR.total_seconds()),
        severity=finding.severity,
        direction=Direction.ABOVE,
        value=finding.value,
        expected=0.0,
        anomalies=(
            *(_anomaly(finding, one, finding.value / len(windows)) for one in windows),
            *(_anomaly(finding, windows[-1], 1.0, part) for part in finding.parts),
        ),
    )


def _goes_on(finding: Finding, one: Incident) -> bool:
    """Hours without logs belong to the incident that they overlap, other trouble to the open one
    of the same place."""
    same = one.measure == finding.measure and one.peak.dimensions == finding.dimensions
    together = not finding.windows or any(one.window.overlaps(each) for each in finding.windows)
    return one.state is IncidentState.OPEN and same and together


def _anomaly(
    finding: Finding, window: Window, value: float, part: tuple[tuple[str, str], ...] = ()
) -> Anomaly:
    return Anomaly(
        interval=window,
        dimensions=finding.dimensions + part,
        value=value,
        expected=0.0,
        lower=0.0,
        upper=0.0,
        severity=finding.severity,
        direction=Direction.ABOVE,
        reason=REASON,
    )
