"""Takes an apply back: what it added goes, what it removed returns, and nothing else moves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from bartizan.errors import UsageError
from bartizan.model.intel import Network
from bartizan.respond.edit import edit
from bartizan.respond.ip_sets import IpSet, Pace
from bartizan.respond.merge import Decision, Guard, Task, change_id
from bartizan.respond.switch import is_off
from bartizan.store.database import Store
from bartizan.store.intel import ChangeState, IpSetChange, Row, ledger, load_change

_UNDOABLE = (ChangeState.DONE, ChangeState.UNDONE, ChangeState.INTENDED)  # what was killed too


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
    guard, and stays out when its time is over, the switch is thrown, or the target's mode changes
    nothing. Raises UsageError for a change that is no apply or failed, and as `edit` does.
    """
    if change.kind != "apply" or change.state not in _UNDOABLE:
        raise UsageError(
            f"change {change.id}",
            f"is {change.kind} {change.state.value}",
            "name an apply that is done; see `bartizan intel status`",
        )

    def decide(_ours: Mapping[Network, Row]) -> Decision:
        done = load_change(store, change.id) or change  # it may have been under way until now
        now = ledger(store, done.target)
        mine = [n for n in done.rows if n in now and now[n].change_id == done.id]
        later = {n: "was changed again since" for n in done.rows if n not in mine}
        former = {n: done.former.get(n) for n in mine}
        returning = {n: row for n, row in former.items() if row and row.listed}
        gone = {n: row for n, row in returning.items() if not now[n].listed}
        kept_out = dict(_kept_out(store, ip_set, gone, guard, at))
        rows = {n: _unlisted(row) if n in kept_out else row for n, row in former.items()}
        return Decision(rows, later | kept_out)

    this = change_id("undo", change.id, ip_set.target.name, change.at)
    task = Task(this, "undo", change.id, at, by, decide, guard)
    return edit(store, ip_set, task, pace, dry_run)


def _kept_out(
    store: Store, ip_set: IpSet, returning: Mapping[Network, Row], guard: Guard, at: datetime
) -> Iterator[tuple[Network, str]]:
    """Which of the entries that would return stay out, and why; the last word holds."""
    networks: Sequence[Network] = list(returning)
    if networks:
        yield from ((one.network, one.why) for one in guard(networks))
    if not ip_set.target.mode.changes:
        yield from ((n, "nothing is added in this mode") for n in networks)
    if is_off(store):
        yield from ((n, "nothing is added while respond is stopped") for n in networks)
    for network, row in returning.items():
        if row.entry.expires_at <= at:
            yield network, "its time is over"


def _unlisted(row: Row | None) -> Row | None:
    return None if row is None else replace(row, listed=False)
