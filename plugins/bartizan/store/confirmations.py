"""Confirmations that are to be sent: messages of the outbox that are of what somebody did."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, and_, func, select

from bartizan.model.anomaly import IncidentState
from bartizan.model.confirmation import Confirmation
from bartizan.model.ids import stable_uuid
from bartizan.model.outbox import DeliveryState
from bartizan.model.window import format_time
from bartizan.store.database import Store, insert_new
from bartizan.store.handling import read_row
from bartizan.store.incidents import read_change
from bartizan.store.outbox import Claim, Message, take
from bartizan.store.routing import heard
from bartizan.store.tables import confirmations, handling, incidents, outbox

NEWS = timedelta(hours=6)  # what was done earlier is told nobody any more


def intend_confirmations(store: Store, channels: Collection[str], now: datetime) -> None:
    """Have those of the channels that know of an open incident told what was done about it last;
    once, however often it is intended."""
    with store.transaction() as connection:
        for row in _news(connection, now):
            told = sorted(heard(connection, row.incident_id) & set(channels))
            if told:
                _intend(connection, row, told, now)


def claim_confirmations(
    store: Store, channel: str, owner: str, now: datetime, until: datetime
) -> list[tuple[Confirmation, Claim]]:
    """Take the confirmations that are due for a channel, the earliest first, leased to `owner`."""
    of = and_(
        handling.c.incident_id == confirmations.c.incident_id,
        handling.c.number == confirmations.c.number,
    )
    query = (
        select(confirmations.c.id, confirmations.c.incident_id, outbox.c.attempts, *_OF_HANDLING)
        .join(outbox, outbox.c.incident_id == confirmations.c.id)
        .join(handling, of)
        .where(outbox.c.channel == channel, outbox.c.state == DeliveryState.INTENDED)
        .where(outbox.c.next_try <= format_time(now))
        .order_by(handling.c.at, confirmations.c.id)
    )
    found = []
    with store.transaction() as connection:
        for row in connection.execute(query).all():
            message = Message(row.id, 1, channel)
            taken = take(connection, message, row.attempts, owner, now, until, row.incident_id)
            if taken is not None:
                its = select(incidents).where(incidents.c.id == row.incident_id)
                incident = read_change(connection.execute(its).one()).incident
                found.append((Confirmation(incident, read_row(row)), taken))
    return found


_OF_HANDLING = [column for column in handling.c if column.name != "incident_id"]


def _news(connection: Connection, now: datetime) -> list[Any]:
    """The last row of each open incident about which something was done of late."""
    columns = handling.c
    every = handling.alias("every").c
    last = select(func.max(every.number)).where(every.incident_id == incidents.c.id)
    query = (
        select(handling)
        .join(incidents, incidents.c.id == columns.incident_id)
        .where(incidents.c.state == IncidentState.OPEN.value)
        .where(columns.number == last.scalar_subquery())
        .where(columns.at > format_time(now - NEWS))
        .order_by(columns.incident_id)
    )
    return list(connection.execute(query).all())


def _intend(connection: Connection, row: Any, channels: list[str], now: datetime) -> None:
    name = stable_uuid("confirmation", row.incident_id, row.number)
    key = {"id": name, "incident_id": row.incident_id, "number": row.number}
    insert_new(connection, confirmations, [key])
    messages = [Message(name, 1, channel) for channel in channels]
    rows = [
        {
            "incident_id": name,
            "change": one.change,
            "channel": one.channel,
            "state": DeliveryState.INTENDED.value,
            "payload_id": one.payload_id,
            "reason": f"{row.kind} of {row.incident_id} by {row.given_by}",
            "next_try": format_time(now),
        }
        for one in messages
    ]
    insert_new(connection, outbox, rows)
