"""Makes the ledger true of an IP set again: a process was killed, or others changed the set."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import update

from bartizan.model.intel import Network
from bartizan.store.database import Store
from bartizan.store.intel import ChangeState, added_rows, intended, set_state, write_rows
from bartizan.store.intel_audit import Deed, add_deed
from bartizan.store.tables import intel_entries


def settle_broken(store: Store, target: str, there: Collection[Network], but: str) -> None:
    """Take into the ledger what changes that never ended, except one, have added to the set.

    Only for who alone changes the set: then no other change is under way.
    """
    with store.transaction() as connection:
        for change in intended(connection, target):
            if change.id != but:
                rows = {n: row for n, row in added_rows(change).items() if n in there}
                write_rows(connection, target, rows)
                set_state(connection, change.id, ChangeState.SETTLED)


def unlist(store: Store, target: str, networks: Sequence[Network], deed: Deed) -> None:
    """Others took these out of the set: they are held no more."""
    query = update(intel_entries).where(
        intel_entries.c.target == target,
        intel_entries.c.network.in_([str(network) for network in networks]),
    )
    with store.transaction() as connection:
        connection.execute(query.values(listed=False))
        add_deed(connection, deed)
