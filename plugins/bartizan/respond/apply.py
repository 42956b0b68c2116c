"""Applies a plan to the IP sets of its targets; the guard is asked again, and it has the last word.

Ours are only what the ledger lists; the rest of a set stays byte for byte.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from bartizan.errors import UsageError
from bartizan.model.intel import Change, Entry, IpSetTarget, Network, Plan
from bartizan.respond.config import Limits
from bartizan.respond.edit import edit
from bartizan.respond.ip_sets import IpSet, Pace
from bartizan.respond.merge import Decision, Guard, Task, change_id
from bartizan.respond.switch import may_add
from bartizan.store.database import Store
from bartizan.store.intel import IpSetChange, Row
from bartizan.store.intel_audit import is_rejected

PLAN_LASTS = timedelta(hours=2)  # an approval is of what was true then


def apply_change(
    store: Store,
    ip_set: IpSet,
    plan: Plan,
    change: Change,
    guard: Guard,
    limits: Limits,
    pace: Pace,
    by: str,
    at: datetime,
    dry_run: bool = True,
) -> IpSetChange:
    """Bring one change of a plan into its IP set.

    Networks that the guard refuses are left out, and taken out where they are ours. Applied again,
    nothing happens, though it was undone meanwhile. Raises UsageError where the switch is thrown,
    the target's mode changes nothing, or the plan was rejected, is too old or exceeds the limits of
    now; whatever the guard raises (then nothing was applied); and as `edit` does.
    """
    target = ip_set.target
    if not dry_run:
        may_add(store, target)
        _may_apply(store, plan, limits, at)
    this = change_id("apply", plan.id, target.name, plan.at)

    def decide(ours: Mapping[Network, Row]) -> Decision:
        wanted = {one.network: one for one in change.entries}
        barred = {one.network: one.why for one in guard([*wanted, *ours])}
        other = {n: "is of another IP version" for n in wanted if _is_other(n, target)}
        over = {n: "its time is over" for n, one in wanted.items() if one.expires_at <= at}
        kept_out = over | other | barred
        rows = {
            n: _row(one, ours.get(n), this, at + limits.max_ttl)
            for n, one in wanted.items()
            if n not in kept_out
        }
        gone = [n for n in (*change.remove, *barred) if n in ours]
        taken_out = {n: replace(ours[n], listed=False, change_id=this) for n in gone}
        return Decision(rows | taken_out, kept_out)

    task = Task(this, "apply", plan.id, at, by, decide, guard, limits.max_entries)
    return edit(store, ip_set, task, pace, dry_run)


def _may_apply(store: Store, plan: Plan, limits: Limits, at: datetime) -> None:
    new = {network for change in plan.changes for network in change.add}
    problem = ""
    if is_rejected(store, plan.id):
        problem = "was rejected"
    elif at >= plan.at + PLAN_LASTS:
        problem = f"is of {plan.at:%Y-%m-%d %H:%M}, too old to be applied"
    elif plan.blast_radius is None:
        problem = "was never simulated"
    elif plan.blast_radius > limits.max_blast_radius:
        problem = f"has a blast radius of {plan.blast_radius:.4%}, beyond the limit"
    elif len(new) > limits.max_new:
        problem = f"adds {len(new)} networks, more than {limits.max_new}"
    if problem:
        raise UsageError(f"plan {plan.id}", problem, "make a new plan")


def _row(entry: Entry, ours: Row | None, change_id: str, latest: datetime) -> Row:
    """A new row; one that is held already keeps its beginning and never gets a shorter time."""
    entry = replace(entry, expires_at=min(entry.expires_at, latest))
    if ours is not None:
        entry = replace(
            entry,
            added_at=min(entry.added_at, ours.entry.added_at),
            expires_at=max(entry.expires_at, ours.entry.expires_at),
        )
    return Row(entry, True, change_id)


def _is_other(network: Network, target: IpSetTarget) -> bool:
    return network.version != target.version
