"""The truth about delivery: what was meant to be sent, what was, with the receipt.

One row per incident, change and channel; that key is also the idempotency key of the message.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection, select, update

from bartizan.store.database import Store, insert_new
from bartizan.store.tables import outbox


class DeliveryState(StrEnum):
    INTENDED = "intended"
    DELIVERED = "delivered"
    DEAD = "dead"


@dataclass(frozen=True, order=True)
class Message:
    """One change of one incident for one channel; `payload_id` is where the payload belongs."""

    incident_id: str
    change: int
    channel: str

    @property
    def payload_id(self) -> str:
        return f"{self.channel}/{self.incident_id}/{self.change}.json"


def intend(store: Store, messages: Sequence[Message]) -> int:
    """Register messages that are not known yet; returns how many were new."""
    rows = [
        {
            "incident_id": message.incident_id,
            "change": message.change,
            "channel": message.channel,
            "state": DeliveryState.INTENDED.value,
            "payload_id": message.payload_id,
        }
        for message in messages
    ]
    with store.transaction() as connection:
        return insert_new(connection, outbox, rows)


def intended(store: Store) -> list[Message]:
    """Messages that are neither delivered nor dead, in order of their key."""
    columns = (outbox.c.incident_id, outbox.c.change, outbox.c.channel)
    query = select(*columns).where(outbox.c.state == DeliveryState.INTENDED.value)
    with store.transaction() as connection:
        return [Message(*row) for row in connection.execute(query.order_by(*columns))]


def told(store: Store) -> set[tuple[str, str]]:
    """Incident id and channel of what was delivered, or may have been before a crash."""
    query = select(outbox.c.incident_id, outbox.c.channel).distinct()
    query = query.where(outbox.c.state != DeliveryState.DEAD.value)
    with store.transaction() as connection:
        return {(row.incident_id, row.channel) for row in connection.execute(query)}


def mark_delivered(store: Store, message: Message, receipt: str) -> None:
    """Close a message with what the channel answered."""
    with store.transaction() as connection:
        _close(connection, message, DeliveryState.DELIVERED, receipt, attempts=1)


def mark_dead(store: Store, message: Message, reason: str) -> None:
    """Close a message that will never be sent, and say why."""
    with store.transaction() as connection:
        _close(connection, message, DeliveryState.DEAD, reason, attempts=0)


def _close(
    connection: Connection, message: Message, state: DeliveryState, receipt: str, attempts: int
) -> None:
    connection.execute(
        update(outbox)
        .where(outbox.c.incident_id == message.incident_id)
        .where(outbox.c.change == message.change)
        .where(outbox.c.channel == message.channel)
        .values(state=state.value, receipt=receipt, attempts=outbox.c.attempts + attempts)
    )
