"""Digests that are to be sent: messages of the outbox that are of a period, not of an incident."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from bartizan.model.ids import stable_uuid
from bartizan.model.outbox import DeliveryState
from bartizan.model.period import Period
from bartizan.model.window import Window, format_time, parse_time
from bartizan.store.database import Store, insert_new
from bartizan.store.outbox import Claim, Message, take
from bartizan.store.tables import digests, outbox


def intend_digest(
    store: Store, channel: str, period: Period, window: Window, now: datetime
) -> None:
    """Have a channel sent the digest of a window; once, however often it is intended."""
    digest_id = stable_uuid("digest", period, window.start)
    message = Message(digest_id, 1, channel)
    with store.transaction() as connection:
        insert_new(connection, digests, [{"id": digest_id, **window.as_json()}])
        insert_new(
            connection,
            outbox,
            [
                {
                    "incident_id": digest_id,
                    "change": message.change,
                    "channel": channel,
                    "state": DeliveryState.INTENDED.value,
                    "payload_id": message.payload_id,
                    "reason": f"{period} digest",
                    "next_try": format_time(now),
                }
            ],
        )


def claim_digests(
    store: Store, channel: str, owner: str, now: datetime, until: datetime
) -> list[tuple[Window, Claim]]:
    """Take the digests that are due for a channel, the earliest first, leased to `owner`."""
    query = (
        select(digests, outbox.c.attempts)
        .join(outbox, outbox.c.incident_id == digests.c.id)
        .where(outbox.c.channel == channel, outbox.c.state == DeliveryState.INTENDED)
        .where(outbox.c.next_try <= format_time(now))
        .order_by(digests.c.start, digests.c.end)
    )
    with store.transaction() as connection:
        found = []
        for row in connection.execute(query).all():
            message = Message(row.id, 1, channel)
            claim = take(connection, message, row.attempts, owner, now, until)
            if claim is not None:
                found.append((Window(parse_time(row.start), parse_time(row.end)), claim))
        return found
