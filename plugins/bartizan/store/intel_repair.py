"""Makes the ledger true of an IP set again: a process was killed, or others changed the set."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import select, update

from bartizan.errors import TransientError
from bartizan.model.intel import Network
from bartizan.model.window import format_time
from bartizan.store.database import Store
from bartizan.store.intel import fail, finish, held, intended
from bartizan.store.intel_audit import Deed, add_deed
from bartizan.store.tables import intel_changes, intel_entries

ENDED = "the process ended before there was an answer"


def settle_broken(store: Store, target: str, there: Collection[Network], before: datetime) -> None:
    """Changes of a target that never ended are done where the set shows them, else failed.

    AWS writes a whole list or none of it, so one address tells. Only for who alone changes the set:
    then no other change is under way. Raises TransientError for one since `before` that the set
    does not show: it may show it yet.
    """
    with store.transaction() as connection:
        broken = intended(connection, target)
    for change in broken:
        came = any(one in there for one in change.added)
        went = any(one not in there for one in change.removed)
        if came or went:
            counts = f"added {len(change.added)}, removed {len(change.removed)}"
            finish(store, replace(change, receipt=ENDED), f"{counts}; {ENDED}")
        elif change.at > before:
            raise TransientError(
                f"IP set {target}",
                f"change {change.id} was broken off at {format_time(change.at)}",
                "try again in some minutes, when the set tells whether it came",
            )
        else:
            fail(store, change.id, ENDED)


def unsettled(store: Store, target: str) -> set[Network]:
    """Networks that changes of a target which never ended may have put in or taken out."""
    with store.transaction() as connection:
        return {n for change in intended(connection, target) for n in change.added + change.removed}


def lost(store: Store, target: str, there: Collection[Network], before: datetime) -> list[Network]:
    """What we hold and the set does not show, put there before a time: others took it out."""
    query = select(intel_changes.c.id).where(
        intel_changes.c.target == target, intel_changes.c.at > format_time(before)
    )
    with store.transaction() as connection:
        recent = set(connection.scalars(query))
    rows = held(store, target)
    return [n for n, row in rows.items() if n not in there and row.change_id not in recent]


def unlist(store: Store, target: str, networks: Sequence[Network], deed: Deed) -> None:
    """Others took these out of the set: they are held no more."""
    query = update(intel_entries).where(
        intel_entries.c.target == target,
        intel_entries.c.network.in_([str(network) for network in networks]),
    )
    with store.transaction() as connection:
        connection.execute(query.values(listed=False))
        add_deed(connection, deed)
