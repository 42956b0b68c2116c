"""What the ledger of IP sets amounts to, counted where it is kept: sets hold up to 10,000."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_network

from sqlalchemy import func, select

from bartizan.model.intel import Entry, Network
from bartizan.model.window import format_time, parse_time
from bartizan.store.database import Store
from bartizan.store.intel import ChangeState, entry_of
from bartizan.store.intel_sharing import OURS, Said, said_of
from bartizan.store.tables import intel_changes, intel_entries, intel_evidence


@dataclass(frozen=True)
class Counts:
    """Listed entries of a set; `overdue` have ended at a time, `ending` end until another."""

    held: int
    overdue: int
    ending: int


@dataclass(frozen=True)
class ChangeCounts:
    """A change of an IP set without its addresses; `size` is what the set held after it."""

    id: str
    kind: str
    target: str
    at: datetime
    by: str
    state: ChangeState
    added: int
    removed: int
    left_out: int
    size: int


def count_listed(store: Store, target: str, at: datetime, soon: datetime) -> Counts:
    ends = intel_entries.c.expires_at
    query = select(
        func.count(),
        func.count().filter(ends <= format_time(at)),
        func.count().filter(ends > format_time(at), ends <= format_time(soon)),
    ).where(intel_entries.c.target == target, intel_entries.c.listed.is_(True))
    with store.transaction() as connection:
        return Counts(*connection.execute(query).one())


def count_networks(store: Store) -> int:
    """Networks that are in any set by our doing."""
    query = select(func.count(intel_entries.c.network.distinct()))
    with store.transaction() as connection:
        return connection.scalar(query.where(intel_entries.c.listed.is_(True))) or 0


def next_to_end(store: Store, target: str, most: int) -> list[Entry]:
    """Listed entries of a set, those that end first."""
    query = (
        select(intel_entries)
        .where(intel_entries.c.target == target, intel_entries.c.listed.is_(True))
        .order_by(intel_entries.c.expires_at, intel_entries.c.network)
    )
    with store.transaction() as connection:
        return [entry_of(row) for row in connection.execute(query.limit(most))]


def listed_among(store: Store, networks: Collection[Network]) -> set[Network]:
    """Which of these are in any set by our doing."""
    query = select(intel_entries.c.network).where(
        intel_entries.c.listed.is_(True),
        intel_entries.c.network.in_([str(one) for one in networks]),
    )
    with store.transaction() as connection:
        return set(map(ip_network, connection.scalars(query)))


def strongest_said(store: Store, at: datetime, most: int) -> tuple[list[Said], int]:
    """What other accounts say and still mean at a time, the highest score first, and how much they
    say in all."""
    holds = intel_evidence.c.origin != OURS, intel_evidence.c.until > format_time(at)
    strongest = intel_evidence.c.score.desc(), intel_evidence.c.network, intel_evidence.c.origin
    query = select(intel_evidence).where(*holds).order_by(*strongest).limit(most)
    with store.transaction() as connection:
        count = connection.scalar(select(func.count()).select_from(intel_evidence).where(*holds))
        return [said_of(row) for row in connection.execute(query)], count or 0


def who_said(
    store: Store, at: datetime, networks: Collection[Network]
) -> dict[Network, tuple[str, ...]]:
    """Which other accounts say something of each network that they still mean at a time."""
    query = select(intel_evidence.c.network, intel_evidence.c.origin).where(
        intel_evidence.c.origin != OURS,
        intel_evidence.c.until > format_time(at),
        intel_evidence.c.network.in_([str(one) for one in networks]),
    )
    found: dict[Network, tuple[str, ...]] = {}
    with store.transaction() as connection:
        for row in connection.execute(query.order_by(intel_evidence.c.origin)):
            network = ip_network(row.network)
            found[network] = (*found.get(network, ()), row.origin)
    return found


def last_changes(store: Store, most: int) -> list[ChangeCounts]:
    """The newest first."""
    columns, length = intel_changes.c, func.json_array_length
    query = select(
        columns.id, columns.kind, columns.target, columns.at, columns.given_by, columns.state,
        length(columns.added).label("added"), length(columns.removed).label("removed"),
        columns.left_out, length(columns.after).label("size"),
    ).order_by(columns.at.desc(), columns.id)  # fmt: skip
    with store.transaction() as connection:
        return [
            ChangeCounts(
                row.id,
                row.kind,
                row.target,
                parse_time(row.at),
                row.given_by,
                ChangeState(row.state),
                row.added,
                row.removed,
                len(row.left_out),
                row.size,
            )
            for row in connection.execute(query.limit(most))
        ]


def is_applied(store: Store, plan_id: str) -> bool:
    """Whether something was made of a plan, or may have been."""
    query = select(intel_changes.c.id).where(
        intel_changes.c.kind == "apply",
        intel_changes.c.state != ChangeState.FAILED.value,
        intel_changes.c.subject == plan_id,
    )
    with store.transaction() as connection:
        return connection.execute(query).first() is not None
