"""Which changes of incidents are still to be routed, and where they were routed to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update

from bartizan.model.window import format_time
from bartizan.store.database import Store, insert_new
from bartizan.store.incidents import IncidentChange, read_change
from bartizan.store.outbox import MAY_HAVE_ARRIVED, DeliveryState, Message, supersede
from bartizan.store.tables import incident_changes, incidents, outbox, outbox_attempts


@dataclass(frozen=True)
class Past:
    """Channels that were, or may have been, told of an incident, and those that an earlier change
    of it is still on its way to."""

    heard: frozenset[str]
    owed: frozenset[str]


@dataclass(frozen=True)
class Route:
    """Whether a channel is told of a change, and why; `sends` is None while that is open."""

    channel: str
    sends: bool | None
    why: str


def unrouted(store: Store) -> list[tuple[IncidentChange, Past]]:
    """The last change of every incident that is still to be routed, in the order of writing."""
    query = (
        select(incidents)
        .join(incident_changes, incident_changes.c.incident_id == incidents.c.id)
        .where(incident_changes.c.change == incidents.c.change)
        .where(incident_changes.c.routed.is_(False))
        .order_by(incident_changes.c.sequence)
    )
    with store.transaction() as connection:
        found = [read_change(row) for row in connection.execute(query).all()]
        return [(one, _past(connection, one.incident.id)) for one in found]


def save_routes(store: Store, one: IncidentChange, routes: Sequence[Route], now: datetime) -> None:
    """Store what was decided, and that the change is routed once nothing of it is open.

    What was decided before stays. Nothing happens when the incident has changed since. An earlier
    message that still waits is superseded.
    """
    incident_id = one.incident.id
    rows = [_row(one, route, now) for route in routes if route.sends is not None]
    with store.transaction() as connection:
        last = select(incidents.c.change).where(incidents.c.id == incident_id).with_for_update()
        if connection.execute(last).scalar_one() != one.change:
            return
        insert_new(connection, outbox, rows)
        supersede(connection)
        if all(route.sends is not None for route in routes):
            connection.execute(
                update(incident_changes)
                .where(incident_changes.c.incident_id == incident_id)
                .where(incident_changes.c.change <= one.change)
                .values(routed=True)
            )


def _row(one: IncidentChange, route: Route, now: datetime) -> dict[str, Any]:
    message = Message(one.incident.id, one.change, route.channel)
    state = DeliveryState.INTENDED if route.sends else DeliveryState.SKIPPED
    return {
        "incident_id": message.incident_id,
        "change": message.change,
        "channel": message.channel,
        "state": state.value,
        "payload_id": message.payload_id,
        "reason": route.why,
        "next_try": format_time(now) if route.sends else "",
    }


def _past(connection: Connection, incident_id: str) -> Past:
    return Past(_heard(connection, incident_id), _owed(connection, incident_id))


def _heard(connection: Connection, incident_id: str) -> frozenset[str]:
    """Channels that were told of an incident, or may have been."""
    attempts = outbox_attempts.c
    delivered = select(outbox.c.channel).where(
        outbox.c.incident_id == incident_id, outbox.c.state == DeliveryState.DELIVERED
    )
    perhaps = select(attempts.channel).where(
        attempts.incident_id == incident_id, attempts.result.in_(MAY_HAVE_ARRIVED)
    )
    return frozenset(connection.execute(delivered.union(perhaps)).scalars())


def _owed(connection: Connection, incident_id: str) -> frozenset[str]:
    """Channels that an earlier change of an incident has not reached yet."""
    waiting = (DeliveryState.INTENDED, DeliveryState.SENDING)
    query = select(outbox.c.channel).where(
        outbox.c.incident_id == incident_id, outbox.c.state.in_(waiting)
    )
    return frozenset(connection.execute(query).scalars())
