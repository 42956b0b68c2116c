"""A plan: what it would add and remove, what it refused, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from bartizan import jobs
from bartizan.errors import BartizanError, UsageError
from bartizan.jobs.intel_shapes import candidate_json, change_json
from bartizan.model.intel import Plan
from bartizan.model.text import inert
from bartizan.respond.apply import PLAN_LASTS
from bartizan.store import Store
from bartizan.store.intel import applies_of
from bartizan.store.intel_audit import is_rejected
from bartizan.store.intel_overview import is_applied, who_said
from bartizan.store.intel_plans import load_plan, load_targets
from bartizan.store.intel_sharing import load_evidence

MOST_SHOWN = 1000  # networks: as many as the task that asks shows


class PlanState(StrEnum):
    WAITS = "waits"
    APPLIED = "applied"
    REJECTED = "rejected"
    EMPTY = "nothing to do"
    LAPSED = "lapsed"


@dataclass(frozen=True)
class Summary:
    """`until` is when it can be applied no more; `blast_radius` is from 0 to 1, None where it was
    not simulated."""

    id: str
    at: datetime
    until: datetime
    state: PlanState
    adds: int
    removes: int
    refused: int
    blast_radius: float | None


@dataclass(frozen=True)
class Line:
    """A network that is to be added (`sign` +) or removed (-), and why. `evidence` is what our own
    logs said of it last; `heard_from` names the accounts that say something of it now."""

    sign: str
    network: str
    why: str
    evidence: dict[str, Any] | None
    heard_from: tuple[str, ...]


@dataclass(frozen=True)
class Diff:
    """What is to change in one IP set; `more` lines are not shown."""

    target: str
    account: str
    mode: str
    changes: bool
    adds: int
    removes: int
    keeps: int
    lines: tuple[Line, ...]
    more: int


@dataclass(frozen=True)
class Outcome:
    """What an apply changed in one IP set, or would change now; `left_out` with why."""

    target: str
    change: str
    state: str
    added: tuple[str, ...]
    removed: tuple[str, ...]
    left_out: tuple[tuple[str, str], ...]
    size: int


@dataclass(frozen=True)
class Now:
    """What an apply would do to the sets as AWS shows them at this moment; `failed` are sets with
    what is wrong, `problem` is why nothing at all would be applied."""

    outcomes: tuple[Outcome, ...]
    failed: tuple[tuple[str, str], ...]
    problem: str


@dataclass(frozen=True)
class PlanPage:
    plan: Summary
    diffs: tuple[Diff, ...]
    refused: tuple[tuple[str, str], ...]
    refused_more: int
    done: tuple[Outcome, ...]


def plan_page(store: Store, plan_id: str, at: datetime) -> PlanPage:
    """Raises UsageError for a plan that nobody made, or that was changed since."""
    plan = known(store, plan_id)
    return PlanPage(
        plan=summary(store, plan, at),
        diffs=_diffs(store, plan, at),
        refused=tuple((str(one.network), one.why) for one in plan.refused[:MOST_SHOWN]),
        refused_more=len(plan.refused[MOST_SHOWN:]),
        done=tuple(_outcome(change_json(one)) for one in applies_of(store, plan_id)),
    )


def known(store: Store, plan_id: str) -> Plan:
    plan = load_plan(store, plan_id)
    if plan is None:
        raise UsageError("plan", f"{inert(plan_id)!r} is unknown", "open it from the overview")
    return plan


def summary(store: Store, plan: Plan, at: datetime) -> Summary:
    return Summary(
        id=plan.id,
        at=plan.at,
        until=plan.at + PLAN_LASTS,
        state=_state(store, plan, at),
        adds=sum(len(one.add) for one in plan.changes),
        removes=sum(len(one.remove) for one in plan.changes),
        refused=len(plan.refused),
        blast_radius=plan.blast_radius,
    )


def would_do(plan_id: str, by: str, at: datetime) -> Now:
    """Asks AWS for each set, the lake for bots that were verified, and changes nothing."""
    try:
        told = jobs.apply_intel(plan_id, by, at, dry_run=True)
    except BartizanError as error:
        return Now((), (), str(error))
    outcomes = tuple(_outcome(one) for one in told["changes"])
    return Now(outcomes, tuple(told["failed"].items()), "")


def _state(store: Store, plan: Plan, at: datetime) -> PlanState:
    if is_applied(store, plan.id):
        return PlanState.APPLIED
    if is_rejected(store, plan.id):
        return PlanState.REJECTED
    if not any(one.add or one.remove for one in plan.changes):
        return PlanState.EMPTY
    return PlanState.LAPSED if at >= plan.at + PLAN_LASTS else PlanState.WAITS


def _diffs(store: Store, plan: Plan, at: datetime) -> tuple[Diff, ...]:
    targets, found = load_targets(store), []
    added = {network for one in plan.changes for network in one.add}
    seen, heard_from = load_evidence(store, added), who_said(store, at, added)
    for change in plan.changes:
        signed = [*(("+", one) for one in change.add), *(("-", one) for one in change.remove)]
        lines = [
            Line(
                sign,
                str(network),
                change.why.get(network, ""),
                candidate_json(seen[network]) if network in seen else None,
                heard_from.get(network, ()),
            )
            for sign, network in signed[:MOST_SHOWN]
        ]
        target = targets[change.target]
        found.append(
            Diff(
                change.target,
                target.account_id,
                target.mode.value,
                target.mode.changes,
                len(change.add),
                len(change.remove),
                change.keep,
                tuple(lines),
                len(signed) - len(lines),
            )
        )
    return tuple(found)


def _outcome(told: dict[str, Any]) -> Outcome:
    """Of a change as the jobs tell it."""
    return Outcome(
        target=told["target"],
        change=told["id"],
        state=told["state"],
        added=tuple(told["added"]),
        removed=tuple(told["removed"]),
        left_out=tuple(told["left_out"].items()),
        size=told["size"],
    )
