"""How an IP set is changed: read, decide, intend, look once more, write, read again.

Whatever refuses or interrupts a write, the set is read anew and the decision made again from that
read, so an edit of somebody else is never written over. Only what the ledger says is ours is taken
out, and an address that was there before us is never taken for ours. One process at a time changes
the set of a target, so that set and ledger are written in the same order.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_network

from bartizan.errors import BartizanError, TransientError, UsageError
from bartizan.model.intel import IpSetTarget, Network
from bartizan.respond.drift import notice
from bartizan.respond.ip_sets import Contents, IpSet, Pace, Unsure
from bartizan.respond.merge import Task, merged
from bartizan.respond.switch import may_add
from bartizan.store.database import Store
from bartizan.store.intel import (
    ChangeState,
    IpSetChange,
    fail,
    finish,
    held,
    intend,
    load_change,
)
from bartizan.store.intel_audit import Deed
from bartizan.store.intel_drift import save_seen
from bartizan.store.intel_repair import lost, settle_broken, unlist, unsettled
from bartizan.store.lock import locked

ATTEMPTS = 8
SHOWS_WITHIN = timedelta(minutes=5)  # a read may be older than a write before it, says AWS


def edit(store: Store, ip_set: IpSet, task: Task, pace: Pace, dry_run: bool) -> IpSetChange:
    """Make a change, or with `dry_run` only tell it. A change that is done is not made again.

    Raises UsageError where something would be added that may not be, TransientError when it did not
    succeed within 8 attempts, and as IpSet does.
    """
    if dry_run:
        return _done(store, task) or _told(store, ip_set, task)
    with locked(store, f"ip-set-{ip_set.target.name}"):
        return _done(store, task) or _made(store, ip_set, task, pace)


def _done(store: Store, task: Task) -> IpSetChange | None:
    earlier = load_change(store, task.id)
    done = earlier is not None and earlier.state in (ChangeState.DONE, ChangeState.UNDONE)
    return earlier if done else None


def _told(store: Store, ip_set: IpSet, task: Task) -> IpSetChange:
    target, read = ip_set.target.name, ip_set.read()
    ours = {n: row for n, row in held(store, target).items() if n in read.networks}
    return replace(merged(task, target, read, ours, ()), state=ChangeState.PROPOSED)


def _made(store: Store, ip_set: IpSet, task: Task, pace: Pace) -> IpSetChange:
    target = ip_set.target.name
    first: frozenset[Network] = frozenset()  # what was there when the task began
    tried: tuple[Network, ...] = ()  # sent without an answer: these may be there by our doing
    trued = intended = unsure = False
    last = TransientError(f"IP set {target}", "was not tried", "try again")
    for attempt in range(ATTEMPTS):
        try:
            read = ip_set.read()
            if not trued:
                _true_up(store, target, task, read)
                trued, first = True, read.networks
                if done := _done(store, task):  # by a run that was killed
                    return done
            change = merged(task, target, read, held(store, target, but=task.id), tried)
            if change.before == change.after:
                if not change.rows and not intended:
                    return replace(change, state=ChangeState.UNCHANGED)
                _saw(store, change, first)
                return finish(store, change, _deed(change))
            intend(store, change)
            intended = True
            pace.turn()
            _last_look(store, ip_set.target, task, change, read)
            request = ip_set.replace(change.after, read)
        except Unsure as error:
            last, tried, unsure = error, (*tried, *change.added), True
        except TransientError as error:
            last = error
        except BartizanError as error:
            if intended and not unsure:
                fail(store, task.id, str(error))
            raise
        else:
            return _finished(store, ip_set, change, request, first)
        pace.back_off(attempt)
    if intended and not unsure:
        fail(store, task.id, str(last))
    raise TransientError(
        f"IP set {target}", f"not changed in {ATTEMPTS} attempts: {last.problem}", "run it again"
    )


def _true_up(store: Store, target: str, task: Task, read: Contents) -> None:
    """Make the ledger true of the set: changes that were broken off are settled, what others took
    out is ours no more, so that it is theirs when they put it back, and all that they changed is
    noted."""
    before = task.at - SHOWS_WITHIN
    maybe_ours = unsettled(store, target)
    settle_broken(store, target, read.networks, before)
    if gone := lost(store, target, read.networks, before):
        some = ", ".join(map(str, gone[:5]))
        said = f"{len(gone)} taken out by others: {some}"
        unlist(store, target, gone, Deed(task.at, task.by, "missed", target, said))
    notice(store, target, read.networks, maybe_ours, task.by, task.at, before)


def _last_look(
    store: Store, target: IpSetTarget, task: Task, change: IpSetChange, read: Contents
) -> None:
    """Nothing comes into a set past the switch, the mode and the guard as they are now, whatever
    was decided and however long ago."""
    new = [one for one in map(_network, change.after) if one not in read.networks]
    if not new:
        return
    may_add(store, target)
    for refusal in task.guard(new):
        raise UsageError(
            f"IP set {target.name}",
            f"{refusal.network} may not be added: {refusal.why}",
            "run it again: it is left out then",
        )


def _network(text: str) -> Network:
    return ip_network(text, strict=False)


def _finished(
    store: Store, ip_set: IpSet, change: IpSetChange, request: str, first: frozenset[Network]
) -> IpSetChange:
    """The change written down, with what a second look at the set found."""
    try:
        seen = ip_set.read().networks
    except BartizanError as error:
        verified = f"not read again: {error.problem}"
    else:
        lacking = [n for n in change.added if n not in seen]
        back = [n for n in change.removed if n in seen]
        drift = ", ".join(map(str, [*lacking, *back][:5]))
        verified = f"not so when read again: {drift}" if drift else "read again and found so"
    done = replace(change, receipt=f"request {request}; {verified}")
    _saw(store, change, first)
    return finish(store, done, _deed(done))


def _saw(store: Store, change: IpSetChange, first: frozenset[Network]) -> None:
    """Note what the set holds by the `first` look of the task and its change. What others did in
    between is not among it, so the next task notices it."""
    now = first.difference(change.removed).union(change.added)
    save_seen(store, change.target, now, change.at)


def _deed(change: IpSetChange) -> str:
    counts = f"added {len(change.added)}, removed {len(change.removed)}"
    return f"{counts}; {change.receipt}" if change.receipt else f"{counts}; nothing to write"
