"""What the store knows of Bartizan's own health."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import and_, func, select

from bartizan.model.health import HEALTH
from bartizan.model.landing import BatchState
from bartizan.model.outbox import DeliveryState
from bartizan.model.reconciliation import Verdict
from bartizan.model.window import Window, format_time, parse_time
from bartizan.store.database import Store
from bartizan.store.tables import incidents, landing_batches, outbox, reconciliation


def incomplete_hours(store: Store, window: Window) -> dict[str, list[datetime]]:
    """Hours of a window in which less was logged than AWS WAF counted, by ARN of the web ACL."""
    columns = reconciliation.c
    query = (
        select(columns.webacl_id, columns.hour)
        .where(columns.verdict == Verdict.MISSING)
        .where(columns.hour >= format_time(window.start), columns.hour < format_time(window.end))
        .order_by(columns.webacl_id, columns.hour)
    )
    found: dict[str, list[datetime]] = {}
    with store.transaction() as connection:
        for webacl_id, hour in connection.execute(query):
            found.setdefault(webacl_id, []).append(parse_time(hour))
    return found


def rejected_batches(store: Store) -> int:
    """How many batches failed their checks and were not tried again since."""
    query = select(func.count()).where(landing_batches.c.state == BatchState.REJECTED)
    with store.transaction() as connection:
        return int(connection.execute(query).scalar_one())


def dead_messages(store: Store) -> Sequence[tuple[str, int]]:
    """How many messages of what incidents are now were given up, by channel.

    Those about our own health do not count: one that cannot be sent would be another one.
    """
    its_last = and_(incidents.c.id == outbox.c.incident_id, incidents.c.change == outbox.c.change)
    query = (
        select(outbox.c.channel, func.count())
        .join(incidents, its_last)
        .where(outbox.c.state == DeliveryState.DEAD, incidents.c.detector != HEALTH)
        .group_by(outbox.c.channel)
        .order_by(outbox.c.channel)
    )
    with store.transaction() as connection:
        return [(str(channel), int(number)) for channel, number in connection.execute(query)]
