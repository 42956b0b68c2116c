"""Takes an apply back: what it added goes, what it removed returns, and nothing else moves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from bartizan.errors import UsageError
from bartizan.model.intel import Network
from bartizan.respond.apply import Guard, is_off
from bartizan.respond.edit import Decision, Task, edit
from bartizan.respond.ip_sets import IpSet, Pace
from bartizan.store.database import Store
from bartizan.store.intel import ChangeState, IpSetChange, Row, ledger


def undo(
    store: Store,
    ip_set: IpSet,
    change: IpSetChange,
    guard: Guard,
    pace: Pace,
    by: str,
    at: datetime,
    dry_run: bool = True,
) -> IpSetChange:
    """Bring ledger and IP set back to what an apply found, as far as it was its doing.

    Entries that a later change took over stay as that left them. What is to return is asked of the
    guard, and stays out when its time is over or the switch is thrown. Raises UsageError for a
    change that is no finished apply, and as `edit` does.
    """
    if change.kind != "apply" or change.state not in (ChangeState.DONE, ChangeState.UNDONE):
        raise UsageError(
            f"change {change.id}",
            f"is {change.kind} {change.state.value}",
            "name an apply that is done; see `bartizan intel status`",
        )
    now = ledger(store, change.target)
    mine = [
        n for n in change.rows if (row := now.get(n)) is not None and row.change_id == change.id
    ]
    later = {n: "was changed again since" for n in change.rows if n not in mine}
    former = {n: change.former.get(n) for n in mine}
    returning = [n for n, row in former.items() if row and row.listed and not now[n].listed]
    kept_out = {one.network: one.why for one in (guard(returning) if returning else ())}
    if is_off(store):
        kept_out |= dict.fromkeys(returning, "nothing is added while respond is stopped")
    kept_out |= {
        n: "its time is over"
        for n in returning
        if (row := former[n]) is not None and row.entry.expires_at <= at
    }

    def decide(_ours: Mapping[Network, Row]) -> Decision:
        rows = {n: _unlisted(row) if n in kept_out else row for n, row in former.items()}
        return Decision(rows, later | kept_out)

    return edit(store, ip_set, Task("undo", change.id, at, by, decide), pace, dry_run)


def _unlisted(row: Row | None) -> Row | None:
    return None if row is None else replace(row, listed=False)
