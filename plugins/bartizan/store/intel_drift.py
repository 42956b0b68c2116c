"""What IP sets held when we looked, and what others changed in them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_network
from typing import Any

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


def save_seen(store: Store, target: str, networks: Collection[Network], at: datetime) -> None:
    """What a set holds by our knowledge."""
    with store.transaction() as connection:
        upsert(connection, intel_seen, [_seen_row(target, networks, at)])


def save_drift(store: Store, drift: Drift, networks: Collection[Network], by: str) -> None:
    """What others changed, as `by` noticed, and what the set holds since."""
    row = {
        "target": drift.target,
        "at": format_time(drift.at),
        "added": list(map(str, drift.added)),
        "gone": list(map(str, drift.gone)),
    }
    with store.transaction() as connection:
        upsert(connection, intel_seen, [_seen_row(drift.target, networks, drift.at)])
        upsert(connection, intel_drift, [row])
        add_deed(connection, Deed(drift.at, by, "drift", drift.target, _said(drift)))


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


def _seen_row(target: str, networks: Collection[Network], at: datetime) -> dict[str, Any]:
    return {"target": target, "at": format_time(at), "networks": sorted(map(str, networks))}


def _said(drift: Drift) -> str:
    signs = [f"+{one}" for one in drift.added] + [f"-{one}" for one in drift.gone]
    more = f" and {len(signs) - LISTED} more" if len(signs) > LISTED else ""
    return f"{len(signs)} changed by others: {', '.join(signs[:LISTED])}{more}"
