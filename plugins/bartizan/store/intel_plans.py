"""Plans as they were made, and the targets as they were last configured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from ipaddress import ip_network
from typing import Any

from sqlalchemy import select

from bartizan.errors import ConfigError, UsageError
from bartizan.model.intel import Change, Entry, IpSetTarget, Mode, Plan, Refusal
from bartizan.model.window import Window, format_time, parse_time
from bartizan.store.database import Store, insert_new, upsert
from bartizan.store.intel_audit import Deed, add_deed
from bartizan.store.tables import intel_changes, intel_plans, intel_targets


def save_plan(store: Store, plan: Plan, by: str) -> None:
    """Keep a plan; one that is there already, made of the same content, stays as it is."""
    row = {"id": plan.id, "at": format_time(plan.at), "body": plan_json(plan)}
    counts = f"{sum(len(one.add) for one in plan.changes)} to add, {len(plan.refused)} refused"
    with store.transaction() as connection:
        if insert_new(connection, intel_plans, [row]):
            add_deed(connection, Deed(plan.at, by, "plan", plan.id, counts))


def load_plan(store: Store, plan_id: str) -> Plan | None:
    """The plan as it was made. Raises UsageError when its content is not that of its id."""
    with store.transaction() as connection:
        body = connection.scalar(select(intel_plans.c.body).where(intel_plans.c.id == plan_id))
    if body is None:
        return None
    plan = _plan(body)
    made = Plan.of(plan.window, plan.at, plan.changes, plan.refused, plan.blast_radius)
    if not plan_id == plan.id == made.id:
        raise UsageError(f"plan {plan_id}", "was changed since it was made", "make a new plan")
    return plan


def load_plans(store: Store, most: int) -> list[Plan]:
    """The last ones, newest first. Raises UsageError as `load_plan` does."""
    query = select(intel_plans.c.id).order_by(intel_plans.c.at.desc(), intel_plans.c.id)
    with store.transaction() as connection:
        ids = list(connection.scalars(query.limit(most)))
    return [plan for plan in (load_plan(store, one) for one in ids) if plan is not None]


def save_targets(store: Store, targets: Sequence[IpSetTarget]) -> None:
    """Keep how targets are configured. Raises ConfigError, keeping nothing, for one that names
    another IP set than before: what we put into the former one is remembered by the target's name.
    """
    known = load_targets(store)
    rows = [{"name": one.name, "body": asdict(one)} for one in targets]
    with store.transaction() as connection:
        used = set(connection.scalars(select(intel_changes.c.target).distinct()))
        for one in targets:
            if one.name in used and one.name in known and _set(one) != _set(known[one.name]):
                raise ConfigError(
                    f"target {one.name}",
                    f"now names {'/'.join(_set(one))} and named {'/'.join(_set(known[one.name]))}",
                    "give the other IP set a target of another name",
                )
        upsert(connection, intel_targets, rows)


def _set(target: IpSetTarget) -> tuple[str, str, str, str]:
    """What tells one IP set from all others."""
    return target.account_id, target.region, target.scope, target.ip_set_name


def load_targets(store: Store) -> dict[str, IpSetTarget]:
    """By name, also those that are configured no more."""
    with store.transaction() as connection:
        found = connection.execute(select(intel_targets).order_by(intel_targets.c.name)).all()
    return {row.name: IpSetTarget(**{**row.body, "mode": Mode(row.body["mode"])}) for row in found}


def plan_json(plan: Plan) -> dict[str, Any]:
    return {
        "id": plan.id,
        "at": format_time(plan.at),
        "window": plan.window.as_json(),
        "blast_radius": plan.blast_radius,
        "refused": [{"network": str(one.network), "why": one.why} for one in plan.refused],
        "changes": [_change_json(one) for one in plan.changes],
    }


def _change_json(change: Change) -> dict[str, Any]:
    return {
        "target": change.target,
        "add": [str(one) for one in change.add],
        "remove": [str(one) for one in change.remove],
        "keep": change.keep,
        "why": {str(network): why for network, why in change.why.items()},
        "entries": [
            {
                "network": str(one.network),
                "added_at": format_time(one.added_at),
                "expires_at": format_time(one.expires_at),
                "times": one.times,
                "score": one.candidate_score,
            }
            for one in change.entries
        ],
    }


def _plan(body: dict[str, Any]) -> Plan:
    return Plan(
        id=body["id"],
        window=Window.from_json(body["window"]),
        at=parse_time(body["at"]),
        changes=tuple(map(_change, body["changes"])),
        refused=tuple(Refusal(ip_network(one["network"]), one["why"]) for one in body["refused"]),
        blast_radius=body["blast_radius"],
    )


def _change(body: dict[str, Any]) -> Change:
    return Change(
        target=body["target"],
        add=tuple(map(ip_network, body["add"])),
        remove=tuple(map(ip_network, body["remove"])),
        keep=body["keep"],
        why={ip_network(network): why for network, why in body["why"].items()},
        entries=tuple(map(_entry, body["entries"])),
    )


def _entry(body: dict[str, Any]) -> Entry:
    return Entry(
        ip_network(body["network"]),
        parse_time(body["added_at"]),
        parse_time(body["expires_at"]),
        body["times"],
        body["score"],
    )
