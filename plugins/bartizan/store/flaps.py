"""How often what is alike has ended and begun again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select

from bartizan.model.anomaly import Incident, IncidentState
from bartizan.model.stand import Stand
from bartizan.model.window import format_time
from bartizan.store.database import Store
from bartizan.store.incidents import IncidentChange, read_change
from bartizan.store.outbox import DeliveryState
from bartizan.store.tables import incident_changes, incidents, outbox

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SENT = (DeliveryState.INTENDED, DeliveryState.SENDING, DeliveryState.DELIVERED)


@dataclass(frozen=True)
class Flaps:
    """`ends` of what is alike before a change, the last of all at `last_end`; `goes_on` while
    another is open. `told`: how it stood when each channel was told last, after the end that made
    it flapping."""

    ends: int = 0
    last_end: datetime = EPOCH
    goes_on: bool = False
    told: Mapping[str, Stand] = field(default_factory=dict)


NO_FLAPS = Flaps()


def flaps_of(store: Store, one: IncidentChange, within: timedelta, after: int) -> Flaps:
    """Of incidents of the same detector, measure and direction that share a series with one, and
    that lasted into the time `within` before its start; flapping `after` so many ends."""
    with store.transaction() as connection:
        alike = _alike(connection, one.incident, within)
        changes = _changes(connection, [other.id for other in alike])
        ends = _ends(changes, one)
        told = _told(connection, changes, ends[after - 1]) if len(ends) >= after else {}
    others = [other for other in alike if other.id != one.incident.id]
    return Flaps(
        ends=len(ends),
        last_end=max(other.window.end for other in alike),
        goes_on=any(other.state is IncidentState.OPEN for other in others),
        told=told,
    )


def _alike(connection: Connection, incident: Incident, within: timedelta) -> list[Incident]:
    columns = incidents.c
    query = (
        select(incidents)
        .where(columns.detector == incident.detector, columns.measure == incident.measure)
        .where(columns.direction == incident.direction.value)
        .where(columns.end > format_time(incident.window.start - within))
    )
    series = {anomaly.dimensions for anomaly in incident.anomalies}
    found = (read_change(row).incident for row in connection.execute(query))
    return [one for one in found if any(a.dimensions in series for a in one.anomalies)]


def _changes(connection: Connection, incident_ids: Iterable[str]) -> list[Any]:
    columns = incident_changes.c
    query = (
        select(*columns["sequence", "incident_id", "change", "state"])
        .where(columns.incident_id.in_(sorted(incident_ids)))
        .order_by(columns.sequence)
    )
    return list(connection.execute(query).all())


def _ends(changes: Iterable[Any], one: IncidentChange) -> list[int]:
    """Sequence numbers of changes before this one that ended what was open, or new."""
    ends, before = [], dict[str, str]()
    for row in changes:
        if (row.incident_id, row.change) == (one.incident.id, one.change):
            break
        was_open = before.get(row.incident_id, IncidentState.OPEN) == IncidentState.OPEN
        if was_open and row.state not in ("", IncidentState.OPEN):
            ends.append(row.sequence)
        before[row.incident_id] = row.state
    return ends


def _told(connection: Connection, changes: Iterable[Any], since: int) -> dict[str, Stand]:
    """By channel, how it stood in the last change told, or on its way, after that end."""
    later = {(row.incident_id, row.change) for row in changes if row.sequence > since}
    query = (
        select(*outbox.c["incident_id", "change", "channel", "stand"])
        .where(outbox.c.incident_id.in_(sorted({name for name, _ in later})))
        .where(outbox.c.state.in_(_SENT), outbox.c.stand.is_not(None))
        .order_by(outbox.c.change)
    )
    return {
        row.channel: Stand.from_json(row.stand)
        for row in connection.execute(query)
        if (row.incident_id, row.change) in later
    }
