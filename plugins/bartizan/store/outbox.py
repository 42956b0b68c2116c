"""The truth about delivery: what was meant to be sent, each attempt, what came of it.

A message is one change of one incident for one channel; its key is the idempotency key of every
attempt. It goes this way, and each step is one transaction:

    intended ── claim ──> sending ── settle ──> delivered | dead | intended again, later
        │                    └── the process died: after its lease, intended again
        └── a later change takes its place: superseded

`skipped` says that a channel is not told of a change, and why.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, exists, or_, select, tuple_, update

from bartizan.model.ids import stable_uuid
from bartizan.model.outbox import DeliveryState
from bartizan.model.window import format_time
from bartizan.store.database import Store
from bartizan.store.incidents import IncidentChange, read_change
from bartizan.store.tables import confirmations, digests, incidents, outbox, outbox_attempts

LOST = "the process ended before there was an answer"


class Result(StrEnum):
    """What an attempt came to."""

    STARTED = "started"
    DELIVERED = "delivered"
    TRANSIENT = "transient"  # not sent; the same may work later
    PERMANENT = "permanent"  # refused; the same will be refused again
    UNKNOWN = "unknown"  # it may have arrived


MAY_HAVE_ARRIVED = (Result.STARTED, Result.UNKNOWN, Result.DELIVERED)


@dataclass(frozen=True, order=True)
class Message:
    """One change of one incident for one channel; `payload_id` names it for people and files."""

    incident_id: str
    change: int
    channel: str

    @property
    def payload_id(self) -> str:
        return f"{self.channel}/{self.incident_id}/{self.change}.json"

    @property
    def key(self) -> str:
        """The idempotency key: the same for every attempt."""
        return stable_uuid("message", self.incident_id, self.change, self.channel)


@dataclass(frozen=True)
class Claim:
    """A message that this process alone sends until its lease ends.

    `attempt` counts from 1 since it was intended or retried; `repeated` says that an earlier
    attempt may have arrived; `first_receipt` is that of the incident's first message there;
    `about` its id, where the message does not name it.
    """

    message: Message
    owner: str
    number: int
    attempt: int
    repeated: bool
    first_receipt: str
    about: str = ""


def claim(
    store: Store, channel: str, most: int, owner: str, now: datetime, until: datetime
) -> list[tuple[IncidentChange, Claim]]:
    """Take up to `most` messages that are due, the earliest incidents first, leased to `owner`.

    Each attempt is on record before anything is sent. A message waits while an earlier one of its
    incident is being sent to the channel, and while its incident has a later change that is not
    routed yet.
    """
    query = (
        select(incidents, *outbox.c["attempts", "channel"])
        .join(outbox, _of_its_last_change())
        .where(outbox.c.channel == channel)
        .where(outbox.c.state == DeliveryState.INTENDED)
        .where(outbox.c.next_try <= format_time(now))
        .where(~_other(DeliveryState.SENDING, earlier=True))
        .order_by(incidents.c.start, incidents.c.id)
        .limit(most)
    )
    with store.transaction() as connection:
        found = []
        for row in connection.execute(query).all():
            message = Message(row.id, row.change, row.channel)
            taken = take(connection, message, row.attempts, owner, now, until)
            if taken is not None:
                found.append((read_change(row), taken))
        return found


def settle(
    store: Store, one: Claim, result: Result, detail: str, next_try: datetime | None = None
) -> None:
    """Record what an attempt came to. Not delivered, it is dead without a `next_try`.

    A message that someone else has taken over meanwhile, because the lease ended, stays theirs
    unless it was delivered.
    """
    ours = and_(_is(outbox, one.message), outbox.c.leased_by == one.owner)
    values: dict[str, Any]
    if result is Result.DELIVERED:
        ours = _is(outbox, one.message)
        values = {"state": DeliveryState.DELIVERED, "receipt": detail, "reason": ""}
    elif next_try is None:
        values = {"state": DeliveryState.DEAD, "reason": detail}
    else:
        later = {"next_try": format_time(next_try), "reason": detail}
        values = later | {"state": DeliveryState.INTENDED}
    with store.transaction() as connection:
        connection.execute(
            update(outbox_attempts)
            .where(_is(outbox_attempts, one.message))
            .where(outbox_attempts.c.number == one.number)
            .values(result=result, detail=detail)
        )
        connection.execute(
            update(outbox).where(ours).values(**values, leased_by="", leased_until="")
        )
        supersede(connection)


def expire(store: Store, now: datetime, most_attempts: int) -> None:
    """Free the messages of processes that ended before they settled them.

    One that was attempted `most_attempts` times is dead: perhaps it is what ended them.
    """
    ended = and_(outbox.c.state == DeliveryState.SENDING, outbox.c.leased_until <= format_time(now))
    lost = select(*_key(outbox)).where(ended)
    with store.transaction() as connection:
        connection.execute(
            update(outbox_attempts)
            .where(tuple_(*_key(outbox_attempts)).in_(lost))
            .where(outbox_attempts.c.result == Result.STARTED)
            .values(result=Result.UNKNOWN, detail=LOST)
        )
        free = {"leased_by": "", "leased_until": "", "reason": LOST}
        used_up = and_(ended, outbox.c.attempts >= most_attempts)
        connection.execute(update(outbox).where(used_up).values(state=DeliveryState.DEAD, **free))
        connection.execute(update(outbox).where(ended).values(state=DeliveryState.INTENDED, **free))
        supersede(connection)


def supersede(connection: Connection) -> None:
    """Close what waits although a later change of its incident has its own message there."""
    connection.execute(
        update(outbox)
        .where(outbox.c.state == DeliveryState.INTENDED)
        .where(_other(earlier=False))
        .values(state=DeliveryState.SUPERSEDED, reason="a later change takes its place")
    )


def retry(store: Store, payload_ids: Collection[str] | None, now: datetime) -> list[str]:
    """Intend dead messages again, all of them without `payload_ids`; returns which.

    One whose incident has changed since stays dead: the later change has its own message.
    """
    chosen = outbox.c.state == DeliveryState.DEAD
    if payload_ids is not None:
        chosen = and_(chosen, outbox.c.payload_id.in_(payload_ids))
    again = {"attempts": 0, "reason": "retried by hand", "next_try": format_time(now)}
    with store.transaction() as connection:
        rows = connection.execute(
            update(outbox)
            .where(chosen)
            .where(or_(exists().where(_of_its_last_change()), _of_no_change()))
            .values(state=DeliveryState.INTENDED, **again)
            .returning(outbox.c.payload_id)
        )
        return sorted(rows.scalars())


def take(
    connection: Connection,
    message: Message,
    attempts: int,
    owner: str,
    now: datetime,
    until: datetime,
    about: str = "",
) -> Claim | None:
    """Claim a message that was attempted so often; None when another process was faster.

    `about`: the incident, where the message does not name it.
    """
    lease = {"leased_by": owner, "leased_until": format_time(until)}
    taken = connection.execute(
        update(outbox)
        .where(_is(outbox, message))
        .where(outbox.c.state == DeliveryState.INTENDED)
        .values(state=DeliveryState.SENDING, attempts=outbox.c.attempts + 1, **lease)
    )
    if taken.rowcount != 1:
        return None
    earlier = connection.execute(
        select(outbox_attempts.c.result).where(_is(outbox_attempts, message))
    ).scalars()
    results = [Result(result) for result in earlier]
    number = len(results) + 1
    connection.execute(
        outbox_attempts.insert().values(
            **_values(message), number=number, at=format_time(now), result=Result.STARTED
        )
    )
    first = (
        select(outbox.c.receipt)
        .where(outbox.c.incident_id == (about or message.incident_id))
        .where(outbox.c.channel == message.channel)
        .where(outbox.c.state == DeliveryState.DELIVERED)
        .order_by(outbox.c.change)
        .limit(1)
    )
    return Claim(
        message=message,
        owner=owner,
        number=number,
        attempt=attempts + 1,
        repeated=any(result in MAY_HAVE_ARRIVED for result in results),
        first_receipt=connection.execute(first).scalar() or "",
        about=about,
    )


def _of_its_last_change() -> ColumnElement[bool]:
    return and_(incidents.c.id == outbox.c.incident_id, incidents.c.change == outbox.c.change)


def _of_no_change() -> ColumnElement[bool]:
    """Whether it is a digest or a confirmation."""
    others = (digests.c.id, confirmations.c.id)
    return or_(*(exists().where(name == outbox.c.incident_id) for name in others))


def _other(state: DeliveryState | None = None, *, earlier: bool) -> ColumnElement[bool]:
    """Whether the channel has a message of an earlier, or else a later, change of the incident."""
    other = outbox.alias("other")
    order = other.c.change < outbox.c.change if earlier else other.c.change > outbox.c.change
    found = exists().where(
        other.c.incident_id == outbox.c.incident_id, other.c.channel == outbox.c.channel, order
    )
    return found if state is None else found.where(other.c.state == state)


def _key(table: Any) -> tuple[Any, Any, Any]:
    return table.c.incident_id, table.c.change, table.c.channel


def _values(message: Message) -> dict[str, Any]:
    return {
        "incident_id": message.incident_id,
        "change": message.change,
        "channel": message.channel,
    }


def _is(table: Any, message: Message) -> ColumnElement[bool]:
    return and_(*(table.c[name] == value for name, value in _values(message).items()))
