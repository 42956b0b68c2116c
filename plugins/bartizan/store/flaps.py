"""How often what is alike has ended and begun again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, select

from bartizan.model.anomaly import Incident, IncidentState
from bartizan.model.outbox import DeliveryState
from bartizan.model.stand import Stand
from bartizan.model.window import format_time
from bartizan.store.alike import mentions
from bartizan.store.database import Store
from bartizan.store.incidents import IncidentChange, read_change
from bartizan.store.tables import incident_changes, incidents, outbox

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SENT = (DeliveryState.INTENDED, DeliveryState.SENDING, DeliveryState.DELIVERED)


@dataclass(frozen=True)
class Flaps:
    """Before a change, by channel: `ends` of what is alike and was told there, and `told`, how it
    stood in the last message after the end that made it flapping. `last_end` of all that is alike,
    `goes_on` while another of it is open."""

    ends: Mapping[str, int] = field(default_factory=dict)
    told: Mapping[str, Stand] = field(default_factory=dict)
    last_end: datetime = EPOCH
    goes_on: bool = False


NO_FLAPS = Flaps()


def flaps_of(store: Store, one: IncidentChange, within: timedelta, after: int) -> Flaps:
    """Of incidents of the same detector, measure and direction that share a series with one, in
    its time and `within` before and after; flapping `after` so many ends. NO_FLAPS where no channel
    can know of so many."""
    kind = _of_its_kind(one.incident, within)
    with store.transaction() as connection:
        if not _has_ended(connection, kind, after):  # as nearly always: no incident is read for it
            return NO_FLAPS
        alike = _alike(connection, one.incident, kind)
        ids = sorted(other.id for other in alike)
        all_ends = _ends(_changes(connection, ids), one)
        if len(all_ends) < after:
            return NO_FLAPS
        sent = _sent(connection, ids)
    ends, told = dict[str, int](), dict[str, Stand]()
    for channel, messages in groupby(sent, key=lambda row: row.channel):
        mine = list(messages)
        known = {row.incident_id for row in mine}
        heard = [end.sequence for end in all_ends if end.incident_id in known]
        ends[channel] = len(heard)
        if len(heard) >= after and mine[-1].sequence > heard[after - 1]:
            told[channel] = Stand.from_json(mine[-1].stand)
    others = [other for other in alike if other.id != one.incident.id]
    return Flaps(
        ends=ends,
        told=told,
        last_end=max(other.window.end for other in alike),
        goes_on=any(other.state is IncidentState.OPEN for other in others),
    )


def _of_its_kind(incident: Incident, within: timedelta) -> ColumnElement[bool]:
    columns = incidents.c
    return and_(
        columns.detector == incident.detector,
        columns.measure == incident.measure,
        columns.direction == incident.direction.value,
        columns.end > format_time(incident.window.start - within),
        columns.start < format_time(incident.window.end + within),
    )


def _has_ended(connection: Connection, kind: ColumnElement[bool], times: int) -> bool:
    columns = incident_changes.c
    query = (
        select(columns.sequence)
        .join(incidents, incidents.c.id == columns.incident_id)
        .where(kind, columns.state.not_in(("", IncidentState.OPEN)))
        .limit(times)
    )
    return len(connection.execute(query).all()) == times


def _alike(connection: Connection, incident: Incident, kind: ColumnElement[bool]) -> list[Incident]:
    series = {anomaly.dimensions for anomaly in incident.anomalies}
    rows = connection.execute(select(incidents).where(kind, mentions(series)))
    found = (read_change(row).incident for row in rows)
    return [one for one in found if any(a.dimensions in series for a in one.anomalies)]


def _changes(connection: Connection, incident_ids: list[str]) -> list[Any]:
    columns = incident_changes.c
    query = (
        select(*columns["sequence", "incident_id", "change", "state"])
        .where(columns.incident_id.in_(incident_ids))
        .order_by(columns.sequence)
    )
    return list(connection.execute(query).all())


def _sent(connection: Connection, incident_ids: list[str]) -> list[Any]:
    """What was told of them, or is on its way, by channel and in order."""
    its_change = and_(
        incident_changes.c.incident_id == outbox.c.incident_id,
        incident_changes.c.change == outbox.c.change,
    )
    query = (
        select(*outbox.c["channel", "incident_id", "stand"], incident_changes.c.sequence)
        .join(incident_changes, its_change)
        .where(outbox.c.incident_id.in_(incident_ids))
        .where(outbox.c.state.in_(_SENT), outbox.c.stand.is_not(None))
        .order_by(outbox.c.channel, incident_changes.c.sequence)
    )
    return list(connection.execute(query).all())


def _ends(changes: Iterable[Any], one: IncidentChange) -> list[Any]:
    """Changes before this one that ended what was open, or new."""
    ends, before = [], dict[str, str]()
    for row in changes:
        if (row.incident_id, row.change) == (one.incident.id, one.change):
            break
        was_open = before.get(row.incident_id, IncidentState.OPEN) == IncidentState.OPEN
        if was_open and row.state not in ("", IncidentState.OPEN):
            ends.append(row)
        before[row.incident_id] = row.state
    return ends
