"""How an IP set is changed: read, decide, intend, write, read again.

Whatever refuses or interrupts a write, the set is read anew and the decision made again from that
read, so an edit of somebody else is never written over. Only what the ledger says is ours is taken
out, and an address that was there before us is never taken for ours.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from ipaddress import ip_network

from bartizan.errors import BartizanError, TransientError
from bartizan.model.ids import digest
from bartizan.model.intel import Network
from bartizan.model.window import format_time
from bartizan.respond.ip_sets import MOST, Contents, IpSet, Pace, Unsure
from bartizan.store.database import Store
from bartizan.store.intel import (
    ChangeState,
    IpSetChange,
    Row,
    Rows,
    added_rows,
    broken_off,
    fail,
    finish,
    held,
    intend,
    load_change,
    settle,
)

ATTEMPTS = 8
OVER_AFTER = timedelta(hours=1)  # a change intended this long ago is no longer under way


@dataclass(frozen=True)
class Decision:
    """The ledger rows wanted (listed: to be in the set), and what was left out, with the reason."""

    rows: Rows
    left_out: Mapping[Network, str]


Decide = Callable[[Mapping[Network, Row]], Decision]  # from what is held


def change_id(kind: str, subject: str, target: str, at: datetime) -> str:
    return digest((kind, subject, target, format_time(at)))


@dataclass(frozen=True)
class Task:
    """One change to make: the same again has the same id."""

    kind: str  # apply, expire, undo
    subject: str
    at: datetime
    by: str
    decide: Decide


def edit(store: Store, ip_set: IpSet, task: Task, pace: Pace, dry_run: bool) -> IpSetChange:
    """Make a change, or with `dry_run` only tell it. A change that is done is not made again.

    Raises TransientError when it did not succeed within 8 attempts, and as IpSet does.
    """
    target, at = ip_set.target.name, task.at
    this = change_id(task.kind, task.subject, target, at)
    earlier = load_change(store, this)
    if earlier is not None and earlier.state in (ChangeState.DONE, ChangeState.UNDONE):
        return earlier
    # Sent without an answer, now or by a run that was killed: these may be there by our doing.
    tried = earlier.added if earlier and earlier.state is ChangeState.INTENDED else ()
    intended = earlier is not None
    last = TransientError(f"IP set {target}", "was not tried", "try again")
    for attempt in range(ATTEMPTS):
        try:
            read = ip_set.read()
            if not dry_run:
                _settle(store, target, at, this, read)
            change = _merge(task, this, target, read, held(store, target, but=this), tried)
            if dry_run:
                return replace(change, state=ChangeState.PROPOSED)
            if change.before == change.after:
                if not change.rows and not intended:
                    return replace(change, state=ChangeState.UNCHANGED)
                return finish(store, change, _deed(change))
            intend(store, change)
            intended = True
            pace.turn()
            request = ip_set.replace(change.after, read)
        except Unsure as error:
            last, tried = error, (*tried, *change.added)
        except TransientError as error:
            last = error
        except BartizanError as error:
            if intended and not tried:
                fail(store, this, str(error))
            raise
        else:
            return _finished(store, ip_set, change, request)
        pace.back_off(attempt)
    if intended and not tried:
        fail(store, this, str(last))
    raise TransientError(
        f"IP set {target}", f"not changed in {ATTEMPTS} attempts: {last.problem}", "run it again"
    )


def by_place(network: Network) -> tuple[int, int, int]:
    """Sorts networks: IPv4 before IPv6, then by address, the widest first."""
    return network.version, int(network.network_address), network.prefixlen


def _merge(
    task: Task,
    this: str,
    target: str,
    read: Contents,
    ours: Mapping[Network, Row],
    tried: tuple[Network, ...],
) -> IpSetChange:
    """The change that makes a decision true of the set as it was read."""
    decision = task.decide(ours)
    rows, left_out = dict(decision.rows), dict(decision.left_out)
    known = ours.keys() | set(tried)
    for network in [n for n, row in rows.items() if row and row.listed]:
        if network in read.networks and network not in known:
            del rows[network]
            left_out[network] = "is in the set already, put there by others"
    _make_room(rows, left_out, read, ours, this)
    listed = {network for network, row in rows.items() if row is not None and row.listed}
    added = listed - (read.networks - (set(tried) - ours.keys()))
    removed = {n for n in rows.keys() - listed if n in read.networks and n in known}
    kept = [text for text in read.addresses if ip_network(text, strict=False) not in removed]
    new = sorted(listed - read.networks, key=by_place)
    return IpSetChange(
        id=this,
        kind=task.kind,
        target=target,
        subject=task.subject,
        at=task.at,
        by=task.by,
        state=ChangeState.INTENDED,
        added=tuple(sorted(added, key=by_place)),
        removed=tuple(sorted(removed, key=by_place)),
        left_out=left_out,
        before=read.addresses,
        after=(*kept, *map(str, new)),
        rows=rows,
        former={},
        receipt="",
    )


def _make_room(
    rows: dict[Network, Row | None],
    left_out: dict[Network, str],
    read: Contents,
    ours: Mapping[Network, Row],
    this: str,
) -> None:
    """Beyond what a set can hold, the entries of ours with the lowest score give way."""
    wanted = {n: row for n, row in rows.items() if row is not None and row.listed}
    gone = {n for n in rows.keys() - wanted.keys() if n in ours}
    over = len((read.networks - gone) | wanted.keys()) - MOST
    if over <= 0:
        return
    standing = {n: row for n, row in ours.items() if n in read.networks and n not in rows}
    candidates = standing | wanted
    weakest = sorted(candidates, key=lambda n: (candidates[n].entry.candidate_score, by_place(n)))
    for network in weakest[:over]:
        left_out[network] = f"the set is full at {MOST:,}; its score is among the lowest"
        if network in read.networks:
            rows[network] = replace(candidates[network], listed=False, change_id=this)
        else:
            del rows[network]


def _settle(store: Store, target: str, at: datetime, change_id: str, read: Contents) -> None:
    """Take into the ledger what changes had added that were broken off long ago."""
    for change in broken_off(store, target, at - OVER_AFTER, but=change_id):
        there = {n: row for n, row in added_rows(change).items() if n in read.networks}
        settle(store, change, there)


def _finished(store: Store, ip_set: IpSet, change: IpSetChange, request: str) -> IpSetChange:
    """The change written down, with what a second look at the set found."""
    try:
        seen = ip_set.read().networks
    except TransientError as error:
        verified = f"not read again: {error.problem}"
    else:
        lacking = [n for n in change.added if n not in seen]
        back = [n for n in change.removed if n in seen]
        drift = ", ".join(map(str, [*lacking, *back][:5]))
        verified = f"changed by others since: {drift}" if drift else "read again and found so"
    done = replace(change, receipt=f"request {request}; {verified}")
    return finish(store, done, _deed(done))


def _deed(change: IpSetChange) -> str:
    counts = f"added {len(change.added)}, removed {len(change.removed)}"
    return f"{counts}; {change.receipt}" if change.receipt else f"{counts}; nothing to write"
