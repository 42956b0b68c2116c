"""Makes the ledger true of an IP set again: a process was killed, or others changed the set."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from sqlalchemy import update

from bartizan.model.intel import Network
from bartizan.store.database import Store
from bartizan.store.intel import fail, finish, intended
from bartizan.store.intel_audit import Deed, add_deed
from bartizan.store.tables import intel_entries

ENDED = "the process ended before there was an answer"


def settle_broken(store: Store, target: str, there: Collection[Network]) -> None:
    """Changes of a target that never ended are done where the set shows them, else failed.

    AWS writes a whole list or none of it, so one address tells. Only for who alone changes the set:
    then no other change is under way.
    """
    with store.transaction() as connection:
        broken = intended(connection, target)
    for change in broken:
        came = any(one in there for one in change.added)
        went = any(one not in there for one in change.removed)
        if came or went:
            counts = f"added {len(change.added)}, removed {len(change.removed)}"
            finish(store, replace(change, receipt=ENDED), f"{counts}; {ENDED}")
        else:
            fail(store, change.id, ENDED)


def unlist(store: Store, target: str, networks: Sequence[Network], deed: Deed) -> None:
    """Others took these out of the set: they are held no more."""
    query = update(intel_entries).where(
        intel_entries.c.target == target,
        intel_entries.c.network.in_([str(network) for network in networks]),
    )
    with store.transaction() as connection:
        connection.execute(query.values(listed=False))
        add_deed(connection, deed)
