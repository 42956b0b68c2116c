"""What IP sets held when we looked, and what others changed in them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_network

from sqlalchemy import select

from bartizan.model.intel import Network
from bartizan.model.window import Window, format_time, parse_time
from bartizan.store.database import Store, upsert
from bartizan.store.intel_audit import Deed, add_deed
from bartizan.store.tables import intel_drift, intel_seen

LISTED = 5  # networks in the audit trail


@dataclass(frozen=True)
class Seen:
    """What a set held at a time."""

    at: datetime
    networks: frozenset[Network]


@dataclass(frozen=True)
class Drift:
    """What others put into the set of a target and took out of it, noticed `at` a time."""

    target: str
    at: datetime
    added: tuple[Network, ...]
    gone: tuple[Network, ...]


def load_seen(store: Store, target: str) -> Seen | None:
    query = select(intel_seen).where(intel_seen.c.target == target)
    with store.transaction() as connection:
        row = connection.execute(query).first()
    if row is None:
        return None
    return Seen(parse_time(row.at), frozenset(map(ip_network, row.networks)))


def save_seen(
    store: Store,
    target: str,
    networks: Collection[Network],
    at: datetime,
    drift: Drift | None = None,
    by: str = "",
) -> None:
    """What a set holds now by our knowledge, and what others changed before, which `by` noticed."""
    row = {"target": target, "at": format_time(at), "networks": sorted(map(str, networks))}
    with store.transaction() as connection:
        upsert(connection, intel_seen, [row])
        if drift is not None:
            changed = {
                "target": target,
                "at": format_time(drift.at),
                "added": list(map(str, drift.added)),
                "gone": list(map(str, drift.gone)),
            }
            upsert(connection, intel_drift, [changed])
            add_deed(connection, Deed(at, by, "drift", target, _said(drift)))


def drifts(store: Store, window: Window) -> list[Drift]:
    """What others changed as noticed in a window, by target and time."""
    query = (
        select(intel_drift)
        .where(intel_drift.c.at >= format_time(window.start))
        .where(intel_drift.c.at < format_time(window.end))
        .order_by(intel_drift.c.target, intel_drift.c.at)
    )
    with store.transaction() as connection:
        return [
            Drift(
                row.target,
                parse_time(row.at),
                tuple(map(ip_network, row.added)),
                tuple(map(ip_network, row.gone)),
            )
            for row in connection.execute(query)
        ]


def _said(drift: Drift) -> str:
    signs = [f"+{one}" for one in drift.added] + [f"-{one}" for one in drift.gone]
    more = f" and {len(signs) - LISTED} more" if len(signs) > LISTED else ""
    return f"{len(signs)} changed by others: {', '.join(signs[:LISTED])}{more}"
