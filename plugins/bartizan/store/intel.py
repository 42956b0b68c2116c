"""The ledger of addresses we put into IP sets, and every change that was made to a set.

A change is intended before AWS is asked and done after it answered, with the rows of the ledger in
the same transaction. What a broken-off change may have added counts as ours: see `held`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from ipaddress import ip_network
from typing import Any

from sqlalchemy import Connection, delete, select, update

from bartizan.model.intel import Entry, Network
from bartizan.model.window import format_time, parse_time
from bartizan.store.database import Store, upsert
from bartizan.store.intel_audit import Deed, add_deed
from bartizan.store.tables import intel_changes, intel_entries


class ChangeState(StrEnum):
    PROPOSED = "proposed"  # told by a dry run, never stored
    UNCHANGED = "unchanged"  # there was nothing to do; never stored
    INTENDED = "intended"  # AWS may have been asked
    DONE = "done"
    FAILED = "failed"  # AWS did not do it
    UNDONE = "undone"


@dataclass(frozen=True)
class Row:
    """An entry as the ledger knows it: `listed` while it is in the set by our doing."""

    entry: Entry
    listed: bool
    change_id: str


Rows = Mapping[Network, Row | None]  # None: no row


@dataclass(frozen=True)
class IpSetChange:
    """One change of one IP set: what it added and removed there, the addresses before and after,
    and the ledger rows it left (`rows`) and found (`former`)."""

    id: str
    kind: str  # apply, expire, undo
    target: str
    subject: str
    at: datetime
    by: str
    state: ChangeState
    added: tuple[Network, ...]
    removed: tuple[Network, ...]
    left_out: Mapping[Network, str]
    before: tuple[str, ...]
    after: tuple[str, ...]
    rows: Rows
    former: Rows
    receipt: str


def held(store: Store, target: str, but: str = "") -> dict[Network, Row]:
    """What is in the set of a target by our doing: rows of the ledger, and what changes that are
    not done yet (other than `but`) may have added."""
    query = select(intel_entries).where(
        intel_entries.c.target == target, intel_entries.c.listed.is_(True)
    )
    with store.transaction() as connection:
        found = {row.entry.network: row for row in map(_row, connection.execute(query))}
        for change in intended(connection, target):
            if change.id != but:
                found |= _added_rows(change)
    return found


def _added_rows(change: IpSetChange) -> dict[Network, Row]:
    """Rows of what a change adds to the set."""
    return {n: row for n in change.added if (row := change.rows.get(n)) is not None}


def ledger(store: Store, target: str) -> dict[Network, Row]:
    """All rows of a target, listed or not: how often a network was listed is remembered."""
    query = select(intel_entries).where(intel_entries.c.target == target)
    with store.transaction() as connection:
        return {row.entry.network: row for row in map(_row, connection.execute(query))}


def targets_held(store: Store) -> list[str]:
    """Names of the targets in whose sets something is, or may be, by our doing."""
    with store.transaction() as connection:
        listed = select(intel_entries.c.target).where(intel_entries.c.listed.is_(True))
        intended = select(intel_changes.c.target).where(
            intel_changes.c.state == ChangeState.INTENDED.value
        )
        return sorted(set(connection.scalars(listed)) | set(connection.scalars(intended)))


def intend(store: Store, change: IpSetChange) -> None:
    """Before AWS is asked. Said again, after a conflict, the last one holds."""
    with store.transaction() as connection:
        upsert(connection, intel_changes, [_columns(change)])


def finish(store: Store, change: IpSetChange, deed: str) -> IpSetChange:
    """After AWS answered, or when only the ledger changes: its rows, the change, and the audit
    trail, all or nothing. Returns the change with the rows that it found."""
    with store.transaction() as connection:
        former = _read_rows(connection, change.target, list(change.rows))
        finished = replace(change, state=ChangeState.DONE, former=former)
        write_rows(connection, change.target, change.rows)
        upsert(connection, intel_changes, [_columns(finished)])
        if change.kind == "undo":
            _set_state(connection, change.subject, ChangeState.UNDONE)
        add_deed(
            connection,
            Deed(change.at, change.by, change.kind, f"{change.target}/{change.id}", deed),
        )
    return finished


def fail(store: Store, change_id: str, why: str) -> None:
    """AWS did not do what was intended."""
    query = update(intel_changes).where(intel_changes.c.id == change_id)
    with store.transaction() as connection:
        connection.execute(query.values(state=ChangeState.FAILED.value, receipt=why))


def load_change(store: Store, change_id: str) -> IpSetChange | None:
    with store.transaction() as connection:
        row = connection.execute(
            select(intel_changes).where(intel_changes.c.id == change_id)
        ).first()
    return None if row is None else _change(row)


def load_changes(store: Store, most: int) -> list[IpSetChange]:
    """The last ones, newest first."""
    query = select(intel_changes).order_by(intel_changes.c.at.desc(), intel_changes.c.id)
    with store.transaction() as connection:
        return [_change(row) for row in connection.execute(query.limit(most))]


def applies_of(store: Store, plan_id: str) -> list[IpSetChange]:
    """What was made of a plan, by target."""
    query = select(intel_changes).where(
        intel_changes.c.subject == plan_id, intel_changes.c.kind == "apply"
    )
    with store.transaction() as connection:
        return [_change(row) for row in connection.execute(query.order_by(intel_changes.c.target))]


def write_rows(connection: Connection, target: str, rows: Rows) -> None:
    upsert(
        connection,
        intel_entries,
        [{"target": target, **row_json(row)} for row in rows.values() if row is not None],
    )
    gone = delete(intel_entries).where(
        intel_entries.c.target == target,
        intel_entries.c.network.in_([str(network) for network, row in rows.items() if row is None]),
    )
    connection.execute(gone)


def row_json(row: Row) -> dict[str, Any]:
    return {
        "network": str(row.entry.network),
        "added_at": format_time(row.entry.added_at),
        "expires_at": format_time(row.entry.expires_at),
        "times": row.entry.times,
        "score": row.entry.candidate_score,
        "listed": row.listed,
        "change_id": row.change_id,
    }


def intended(connection: Connection, target: str) -> list[IpSetChange]:
    """Changes of a target that never ended, or not yet."""
    query = select(intel_changes).where(
        intel_changes.c.target == target, intel_changes.c.state == ChangeState.INTENDED.value
    )
    return [_change(row) for row in connection.execute(query.order_by(intel_changes.c.at))]


def _set_state(connection: Connection, change_id: str, state: ChangeState) -> None:
    query = update(intel_changes).where(intel_changes.c.id == change_id)
    connection.execute(query.values(state=state.value))


def _read_rows(connection: Connection, target: str, networks: Sequence[Network]) -> Rows:
    query = select(intel_entries).where(intel_entries.c.target == target)
    known = {row.network: _row(row) for row in connection.execute(query)}
    return {network: known.get(str(network)) for network in networks}


def entry_of(row: Any) -> Entry:
    """The entry that a row of `intel_entries` holds."""
    return Entry(
        ip_network(row.network),
        parse_time(row.added_at),
        parse_time(row.expires_at),
        row.times,
        row.score,
    )


def _row(row: Any) -> Row:
    return Row(entry_of(row), row.listed, row.change_id)


def _columns(change: IpSetChange) -> dict[str, Any]:
    return {
        "id": change.id,
        "kind": change.kind,
        "target": change.target,
        "subject": change.subject,
        "at": format_time(change.at),
        "given_by": change.by,
        "state": change.state.value,
        "added": [str(one) for one in change.added],
        "removed": [str(one) for one in change.removed],
        "left_out": {str(one): why for one, why in change.left_out.items()},
        "before": list(change.before),
        "after": list(change.after),
        "rows": _rows_json(change.rows),
        "former": _rows_json(change.former),
        "receipt": change.receipt,
    }


def _change(row: Any) -> IpSetChange:
    return IpSetChange(
        id=row.id,
        kind=row.kind,
        target=row.target,
        subject=row.subject,
        at=parse_time(row.at),
        by=row.given_by,
        state=ChangeState(row.state),
        added=tuple(map(ip_network, row.added)),
        removed=tuple(map(ip_network, row.removed)),
        left_out={ip_network(one): why for one, why in row.left_out.items()},
        before=tuple(row.before),
        after=tuple(row.after),
        rows=_rows(row.rows),
        former=_rows(row.former),
        receipt=row.receipt,
    )


def _rows_json(rows: Rows) -> dict[str, Any]:
    return {str(one): None if row is None else row_json(row) for one, row in rows.items()}


def _rows(found: Mapping[str, Any]) -> Rows:
    return {
        ip_network(network): None if row is None else _row(_Columns(row))
        for network, row in found.items()
    }


class _Columns:
    """A row of JSON, read like a row of the table."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.__dict__.update(values)
