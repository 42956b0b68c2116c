"""Evidence behind entries, our own and of other accounts, and what was received and sent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from ipaddress import ip_network
from typing import Any

from sqlalchemy import delete, select

from bartizan.model.intel import Candidate, Entry, Evidence, Network, Plan
from bartizan.model.window import format_time, parse_time
from bartizan.store.database import Store, insert_new, upsert
from bartizan.store.intel import entry_of
from bartizan.store.intel_withdrawn import withdrawn_at
from bartizan.store.tables import (
    intel_entries,
    intel_evidence,
    intel_received,
    intel_rejected,
    intel_sent,
)

OURS = ""  # origin of what our own logs say
MOST_REJECTED = 1000  # texts that are kept
MOST_SAID = 10_000  # networks of one account: what an IP set can hold


@dataclass(frozen=True)
class Said:
    """What an account said of a network, and until when it means it."""

    account: str
    at: datetime
    until: datetime
    candidate: Candidate


@dataclass(frozen=True)
class Rejected:
    """An event that was not taken in."""

    id: str
    fault: str
    why: str
    size: int
    raw: str


def save_evidence(store: Store, candidates: Iterable[Candidate], plan: Plan) -> None:
    """Keep why a plan adds what it adds, as far as our own logs say so."""
    added = {network for change in plan.changes for network in change.add}
    rows = [_evidence_row(one, OURS, plan.at, "") for one in candidates if one.network in added]
    with store.transaction() as connection:
        upsert(connection, intel_evidence, rows)


def load_evidence(
    store: Store, networks: Iterable[Network] | None = None
) -> dict[Network, Candidate]:
    """What our own logs said last of each network that a plan ever added, or of some of them."""
    query = select(intel_evidence).where(intel_evidence.c.origin == OURS)
    if networks is not None:
        query = query.where(intel_evidence.c.network.in_([str(one) for one in networks]))
    with store.transaction() as connection:
        return {one.network: one for one in map(_candidate, connection.execute(query))}


def load_listed(store: Store) -> dict[Network, Entry]:
    """Entries that are in any IP set by our doing; in several, from the first to the last end."""
    found: dict[Network, Entry] = {}
    query = select(intel_entries).where(intel_entries.c.listed.is_(True))
    with store.transaction() as connection:
        for row in connection.execute(query.order_by(intel_entries.c.target)):
            entry = entry_of(row)
            other = found.get(entry.network, entry)
            found[entry.network] = replace(
                entry,
                added_at=min(entry.added_at, other.added_at),
                expires_at=max(entry.expires_at, other.expires_at),
                times=max(entry.times, other.times),
            )
    return found


def accept(store: Store, account: str, event_id: str, at: datetime, said: Sequence[Said]) -> bool:
    """Take an event in, once; False when it was before. What the account said later stays, what it
    took back since does not come again, what it means no more is forgotten, and so is the weakest
    of more than 10,000 networks."""
    event = {"account": account, "event_id": event_id, "at": format_time(at), "entries": len(said)}
    its = intel_evidence.c.origin == account
    named = intel_evidence.c.network.in_([str(one.candidate.network) for one in said])
    known = select(intel_evidence.c.network, intel_evidence.c.at).where(its, named)
    over = delete(intel_evidence).where(its, intel_evidence.c.until <= format_time(at))
    strongest = (
        select(intel_evidence.c.network)
        .where(its)
        .order_by(intel_evidence.c.score.desc(), intel_evidence.c.network)
        .limit(MOST_SAID)
    )
    with store.transaction() as connection:
        if not insert_new(connection, intel_received, [event]):
            return False
        connection.execute(over)
        last = {row.network: row.at for row in connection.execute(known)}
        back = withdrawn_at(connection, account, [str(one.candidate.network) for one in said])
        rows = [
            _evidence_row(one.candidate, account, one.at, format_time(one.until)) for one in said
        ]
        news = [
            row
            for row in rows
            if last.get(row["network"], "") <= row["at"]
            and back.get(row["network"], "") < row["at"]
        ]
        upsert(connection, intel_evidence, news)
        connection.execute(
            delete(intel_evidence).where(its, intel_evidence.c.network.not_in(strongest))
        )
    return True


def is_received(store: Store, account: str, event_id: str) -> bool:
    query = select(intel_received.c.at).where(
        intel_received.c.account == account, intel_received.c.event_id == event_id
    )
    with store.transaction() as connection:
        return connection.scalar(query) is not None


def load_said(store: Store, at: datetime) -> list[Said]:
    """What other accounts say and still mean at a time."""
    query = (
        select(intel_evidence)
        .where(intel_evidence.c.origin != OURS, intel_evidence.c.until > format_time(at))
        .order_by(intel_evidence.c.network, intel_evidence.c.origin)
    )
    with store.transaction() as connection:
        return [said_of(row) for row in connection.execute(query)]


def said_of(row: Any) -> Said:
    """What a row of intel_evidence says."""
    return Said(row.origin, parse_time(row.at), parse_time(row.until), _candidate(row))


def reject(store: Store, rejected: Rejected, at: datetime) -> None:
    """Set an event aside; the same again is counted. The newest 1,000 are kept."""
    row = {**asdict(rejected), "at": format_time(at)}
    times = select(intel_rejected.c.times).where(intel_rejected.c.id == rejected.id)
    newest = (
        select(intel_rejected.c.id)
        .order_by(intel_rejected.c.at.desc(), intel_rejected.c.id)
        .limit(MOST_REJECTED)
    )
    with store.transaction() as connection:
        row["times"] = (connection.scalar(times) or 0) + 1
        upsert(connection, intel_rejected, [row])
        connection.execute(delete(intel_rejected).where(intel_rejected.c.id.not_in(newest)))


def load_rejected(store: Store, most: int) -> list[dict[str, Any]]:
    """The last ones, newest first."""
    query = select(intel_rejected).order_by(intel_rejected.c.at.desc(), intel_rejected.c.id)
    with store.transaction() as connection:
        return [dict(row) for row in connection.execute(query.limit(most)).mappings()]


def load_sent(store: Store, bus: str) -> dict[Network, datetime]:
    """Until when a bus was told that each network is listed."""
    query = select(intel_sent).where(intel_sent.c.bus == bus)
    with store.transaction() as connection:
        return {
            ip_network(row.network): parse_time(row.expires_at) for row in connection.execute(query)
        }


def save_sent(store: Store, bus: str, event_id: str, ends: Mapping[str, str], at: datetime) -> None:
    """A bus took an event that names networks, each with its end."""
    common = {"bus": bus, "event_id": event_id, "at": format_time(at)}
    rows = [{**common, "network": one, "expires_at": end} for one, end in ends.items()]
    with store.transaction() as connection:
        upsert(connection, intel_sent, rows)


def _evidence_row(one: Candidate, origin: str, at: datetime, until: str) -> dict[str, Any]:
    body = asdict(one.evidence) | {
        "first_seen": format_time(one.evidence.first_seen),
        "last_seen": format_time(one.evidence.last_seen),
    }
    return {
        "network": str(one.network),
        "origin": origin,
        "at": format_time(at),
        "until": until,
        "score": one.score,
        "body": body,
    }


def _candidate(row: Any) -> Candidate:
    body: Mapping[str, Any] = row.body
    lists = {name: tuple(body[name]) for name in ("rules", "webacls", "reasons")}
    times = {name: parse_time(body[name]) for name in ("first_seen", "last_seen")}
    return Candidate(ip_network(row.network), Evidence(**{**body, **lists, **times}), row.score)
