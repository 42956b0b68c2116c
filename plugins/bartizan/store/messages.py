"""Messages of the outbox as they stand, for those who look."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from bartizan.model.outbox import DeliveryState
from bartizan.model.window import Window, format_time, parse_time
from bartizan.store.database import Store
from bartizan.store.outbox import Message, Result
from bartizan.store.tables import incidents, outbox, outbox_attempts

_ALL = select(outbox).order_by(outbox.c.channel, outbox.c.incident_id, outbox.c.change)


@dataclass(frozen=True)
class Entry:
    """A message as it stands."""

    message: Message
    state: DeliveryState
    attempts: int
    receipt: str
    reason: str
    next_try: str


@dataclass(frozen=True)
class Attempt:
    """One try to send a message, and what came of it."""

    message: Message
    number: int
    at: datetime
    result: Result
    detail: str


def entries(
    store: Store, states: Collection[DeliveryState] = (), channel: str | None = None
) -> list[Entry]:
    """Messages in those states (all without any), by channel, incident and change."""
    query = _ALL
    if states:
        query = query.where(outbox.c.state.in_([state.value for state in states]))
    if channel is not None:
        query = query.where(outbox.c.channel == channel)
    return _read(store, query)


def entries_of(store: Store, incident_id: str) -> list[Entry]:
    """Messages of one incident, by channel and change."""
    return _read(store, _ALL.where(outbox.c.incident_id == incident_id))


def attempts_of(store: Store, incident_id: str) -> list[Attempt]:
    """Every try to send a message of one incident, in order of time."""
    columns = outbox_attempts.c
    query = (
        select(outbox_attempts)
        .where(columns.incident_id == incident_id)
        .order_by(columns.at, columns.channel, columns.change, columns.number)
    )
    with store.transaction() as connection:
        return [
            Attempt(
                Message(row.incident_id, row.change, row.channel),
                *(row.number, parse_time(row.at), Result(row.result), row.detail),
            )
            for row in connection.execute(query)
        ]


def entries_within(store: Store, window: Window) -> list[Entry]:
    """Messages of the incidents that start in a window, by channel, incident and change."""
    chosen = (
        select(incidents.c.id)
        .where(incidents.c.start >= format_time(window.start))
        .where(incidents.c.start < format_time(window.end))
    )
    return _read(store, _ALL.where(outbox.c.incident_id.in_(chosen)))


def counts(store: Store) -> dict[str, dict[str, int]]:
    """How many messages are in each state, by channel."""
    columns = outbox.c.channel, outbox.c.state
    query = select(*columns, func.count()).group_by(*columns).order_by(*columns)
    found: dict[str, dict[str, int]] = {}
    with store.transaction() as connection:
        for channel, state, number in connection.execute(query):
            found.setdefault(channel, {})[state] = number
    return found


def _read(store: Store, query: Any) -> list[Entry]:
    with store.transaction() as connection:
        return [
            Entry(
                Message(row.incident_id, row.change, row.channel),
                DeliveryState(row.state),
                *(row.attempts, row.receipt, row.reason, row.next_try),
            )
            for row in connection.execute(query)
        ]
