"""Which changes of incidents are still to be routed, and where they were routed to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select, update

from bartizan.model.anomaly import Incident
from bartizan.model.feedback import FeedbackKind
from bartizan.model.handling import NOT_HANDLED, Handled
from bartizan.model.outbox import DeliveryState
from bartizan.model.stand import Stand
from bartizan.model.window import format_time, parse_time
from bartizan.store.database import Store, insert_new
from bartizan.store.flaps import NO_FLAPS, Flaps
from bartizan.store.handling import read_handling
from bartizan.store.incidents import IncidentChange, read_change
from bartizan.store.outbox import MAY_HAVE_ARRIVED, Message, supersede
from bartizan.store.tables import feedback, incident_changes, incidents, outbox, outbox_attempts


@dataclass(frozen=True)
class Beside:
    """Another incident of the same time that explains one, and the channels that know of it."""

    incident: Incident
    channels: frozenset[str]


@dataclass(frozen=True)
class Past:
    """What was before a change of an incident.

    `heard` are channels that were, or may have been, told of it, `told` how it stood when each was
    told last, where that is known. To those `owed` an earlier change is still on its way; for those
    `decided` the change itself is routed. `since` is when a dispatch first saw the incident, `seen`
    when one saw the change.
    `answered` is the kind of the feedback that holds, empty without any. `beside` are other
    incidents that explain this one, `flaps` how often what is alike has ended before.
    """

    heard: frozenset[str]
    owed: frozenset[str]
    told: Mapping[str, Stand] = field(default_factory=dict)
    decided: frozenset[str] = frozenset()
    since: datetime | None = None
    seen: datetime | None = None
    handled: Handled = NOT_HANDLED
    answered: str = ""
    beside: tuple[Beside, ...] = ()
    flaps: Flaps = NO_FLAPS


@dataclass(frozen=True)
class Route:
    """Whether a channel is told of a change, and why; `sends` is None while that is open."""

    channel: str
    sends: bool | None
    why: str


def mark_seen(store: Store, now: datetime) -> None:
    """Note when a dispatch first saw what is still to be routed."""
    changes = incident_changes.c
    unseen = update(incident_changes).where(changes.routed.is_(False), changes.seen_at == "")
    with store.transaction() as connection:
        connection.execute(unseen.values(seen_at=format_time(now)))


def unrouted(store: Store) -> list[IncidentChange]:
    """The last change of every incident that is still to be routed, in the order of writing."""
    query = (
        select(incidents)
        .join(incident_changes, incident_changes.c.incident_id == incidents.c.id)
        .where(incident_changes.c.change == incidents.c.change)
        .where(incident_changes.c.routed.is_(False))
        .order_by(incident_changes.c.sequence)
    )
    with store.transaction() as connection:
        return [read_change(row) for row in connection.execute(query).all()]


def past_of(store: Store, one: IncidentChange) -> Past:
    """What was before a change."""
    incident_id = one.incident.id
    with store.transaction() as connection:
        return Past(
            heard=heard(connection, incident_id),
            owed=_owed(connection, incident_id),
            told=_told(connection, incident_id),
            decided=_decided(connection, one),
            since=_seen(connection, incident_id),
            seen=_seen(connection, incident_id, one.change),
            handled=Handled.by(read_handling(connection, incident_id)),
            answered=_answered(connection, incident_id),
        )


def first_seen(store: Store, incident_id: str) -> datetime | None:
    """When a dispatch first saw an incident; None when none did."""
    with store.transaction() as connection:
        return _seen(connection, incident_id)


def informed(store: Store, incident_id: str) -> frozenset[str]:
    """Channels that know of an incident, or will."""
    with store.transaction() as connection:
        return heard(connection, incident_id) | _owed(connection, incident_id)


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
        "stand": Stand.of(one.incident).as_json() if route.sends else None,
    }


def heard(connection: Connection, incident_id: str) -> frozenset[str]:
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


def _told(connection: Connection, incident_id: str) -> dict[str, Stand]:
    """How the incident stood in the last change that each channel surely got."""
    query = (
        select(outbox.c.channel, outbox.c.stand)
        .where(outbox.c.incident_id == incident_id)
        .where(outbox.c.state == DeliveryState.DELIVERED, outbox.c.stand.is_not(None))
        .order_by(outbox.c.change)
    )
    return {row.channel: Stand.from_json(row.stand) for row in connection.execute(query)}


def _decided(connection: Connection, one: IncidentChange) -> frozenset[str]:
    query = select(outbox.c.channel).where(
        outbox.c.incident_id == one.incident.id, outbox.c.change == one.change
    )
    return frozenset(connection.execute(query).scalars())


def _answered(connection: Connection, incident_id: str) -> str:
    query = (
        select(feedback.c.kind)
        .where(feedback.c.incident_id == incident_id)
        .order_by(feedback.c.number.desc())
        .limit(1)
    )
    kind = connection.execute(query).scalar_one_or_none()
    return "" if kind in (None, FeedbackKind.NONE) else str(kind)


def _seen(connection: Connection, incident_id: str, change: int = 1) -> datetime | None:
    """When a dispatch first saw an incident, from that change on."""
    changes = incident_changes.c
    first = select(func.min(changes.seen_at)).where(
        changes.incident_id == incident_id, changes.change >= change, changes.seen_at != ""
    )
    found = connection.execute(first).scalar_one()
    return None if found is None else parse_time(found)
