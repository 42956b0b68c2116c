"""Applies a plan to the IP sets of its targets; the guard is asked again, and it has the last word.

Ours are only what the ledger lists; the rest of a set stays byte for byte.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from bartizan.errors import UsageError
from bartizan.model.intel import Change, Entry, IpSetTarget, Mode, Network, Plan, Refusal
from bartizan.respond.edit import Decision, Task, change_id, edit
from bartizan.respond.ip_sets import IpSet, Pace
from bartizan.store.database import Store
from bartizan.store.intel import IpSetChange, Row
from bartizan.store.intel_audit import is_stopped

Guard = Callable[[Sequence[Network]], Sequence[Refusal]]
OpenSet = Callable[[IpSetTarget], IpSet]
CHANGING = (Mode.COUNT, Mode.BLOCK)


def apply_change(
    store: Store,
    ip_set: IpSet,
    plan: Plan,
    change: Change,
    guard: Guard,
    pace: Pace,
    by: str,
    at: datetime,
    dry_run: bool = True,
) -> IpSetChange:
    """Bring one change of a plan into its IP set.

    Networks that the guard refuses are left out, and taken out where they are ours. Applied again,
    nothing happens. Raises UsageError where the switch is thrown or the target's mode changes
    nothing, whatever the guard raises (then nothing was applied), and as `edit` does.
    """
    target = ip_set.target
    if not dry_run:
        _may_change(store, target, plan)
    this = change_id("apply", plan.id, target.name, at)

    def decide(ours: Mapping[Network, Row]) -> Decision:
        kept_out = {one.network: one.why for one in guard([*change.add, *ours])}
        kept_out |= {n: "is of another IP version" for n in change.add if _is_other(n, target)}
        over = [one.network for one in change.entries if one.expires_at <= at]
        kept_out |= dict.fromkeys(over, "its time is over")
        rows = {
            one.network: _row(one, ours.get(one.network), this)
            for one in change.entries
            if one.network not in kept_out
        }
        gone = [n for n in (*change.remove, *kept_out) if n in ours]
        taken_out = {n: replace(ours[n], listed=False, change_id=this) for n in gone}
        return Decision(rows | taken_out, kept_out)

    return edit(store, ip_set, Task("apply", plan.id, at, by, decide), pace, dry_run)


def is_off(store: Store) -> bool:
    """Whether nothing is to be added to any IP set: by the switch, or by BARTIZAN_RESPOND, whatever
    it says but `ask` and `automatic`: a misspelt `off` is one too."""
    chosen = os.environ.get("BARTIZAN_RESPOND", "ask")
    return chosen not in ("ask", "automatic") or is_stopped(store)


def _may_change(store: Store, target: IpSetTarget, plan: Plan) -> None:
    if is_off(store):
        raise UsageError(
            "respond",
            "is stopped: nothing is added to any IP set",
            "`bartizan intel resume`, and no BARTIZAN_RESPOND=off",
        )
    if target.mode not in CHANGING:
        raise UsageError(
            f"target {target.name}",
            f"is in mode {target.mode.value}",
            "set its mode to count or block to have its IP set changed",
        )
    if plan.blast_radius is None:
        raise UsageError(f"plan {plan.id}", "was never simulated", "make a new plan")


def _row(entry: Entry, ours: Row | None, change_id: str) -> Row:
    """A new row; one that is held already keeps its beginning and never gets a shorter time."""
    if ours is not None:
        entry = replace(
            entry,
            added_at=min(entry.added_at, ours.entry.added_at),
            expires_at=max(entry.expires_at, ours.entry.expires_at),
        )
    return Row(entry, True, change_id)


def _is_other(network: Network, target: IpSetTarget) -> bool:
    return network.version != target.version
