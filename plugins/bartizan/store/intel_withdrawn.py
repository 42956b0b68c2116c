"""What other accounts took back of what they said, and what we took back of what we told."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_network

from sqlalchemy import Connection, delete, select

from bartizan.model.intel import Network
from bartizan.model.window import format_time
from bartizan.store.database import Store, insert_new, upsert
from bartizan.store.tables import intel_evidence, intel_received, intel_sent, intel_withdrawn

MOST_KEPT = 10_000  # networks of one account


@dataclass(frozen=True)
class Withdrawn:
    """Networks that an account lists no more since `at`."""

    account: str
    at: datetime
    networks: tuple[Network, ...]


def withdraw(store: Store, event_id: str, gone: Withdrawn, at: datetime, until: datetime) -> bool:
    """Take an event in, once; False when it was before. What the account said of the networks up
    to then is forgotten, and does not count when it comes later, which it may `until` then."""
    account, since = gone.account, format_time(gone.at)
    names = list(map(str, gone.networks))
    event = {
        "account": account, "event_id": event_id, "at": format_time(at), "entries": len(names)
    }  # fmt: skip
    its = intel_withdrawn.c.account == account
    newest = select(intel_withdrawn.c.network).where(its)
    newest = newest.order_by(intel_withdrawn.c.at.desc(), intel_withdrawn.c.network)
    with store.transaction() as connection:
        if not insert_new(connection, intel_received, [event]):
            return False
        connection.execute(
            delete(intel_evidence).where(
                intel_evidence.c.origin == account,
                intel_evidence.c.network.in_(names),
                intel_evidence.c.at <= since,
            )
        )
        last = withdrawn_at(connection, account, names)
        common = {"account": account, "at": since, "until": format_time(until)}
        rows = [{**common, "network": one} for one in names if last.get(one, "") <= since]
        over = delete(intel_withdrawn).where(intel_withdrawn.c.until <= format_time(at))
        connection.execute(over)
        upsert(connection, intel_withdrawn, rows)
        kept = newest.limit(MOST_KEPT)
        connection.execute(
            delete(intel_withdrawn).where(its, intel_withdrawn.c.network.not_in(kept))
        )
    return True


def withdrawn_at(connection: Connection, account: str, networks: Collection[str]) -> dict[str, str]:
    """When an account took each of these networks back, as far as it did."""
    query = select(intel_withdrawn.c.network, intel_withdrawn.c.at).where(
        intel_withdrawn.c.account == account, intel_withdrawn.c.network.in_(networks)
    )
    return {row.network: row.at for row in connection.execute(query)}


def load_withdrawn(store: Store, at: datetime) -> dict[Network, tuple[str, ...]]:
    """Which accounts took each network back, as far as that is still remembered at a time."""
    query = (
        select(intel_withdrawn.c.network, intel_withdrawn.c.account)
        .where(intel_withdrawn.c.until > format_time(at))
        .order_by(intel_withdrawn.c.network, intel_withdrawn.c.account)
    )
    found: dict[Network, tuple[str, ...]] = {}
    with store.transaction() as connection:
        for row in connection.execute(query):
            network = ip_network(row.network)
            found[network] = (*found.get(network, ()), row.account)
    return found


def forget_sent(store: Store, bus: str, networks: Iterable[str]) -> None:
    """A bus was told that we list these no more: listed again, it is told again."""
    query = delete(intel_sent).where(
        intel_sent.c.bus == bus, intel_sent.c.network.in_(list(networks))
    )
    with store.transaction() as connection:
        connection.execute(query)
