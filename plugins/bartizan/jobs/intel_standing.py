"""Jobs around what stands: rejected plans, the switch, and the state of all IP sets."""

# ruff: noqa: PLC0415  (rooms are imported when they are used: DAG files are parsed often)

from __future__ import annotations

from datetime import datetime
from typing import Any

from bartizan.jobs.here import open_store
from bartizan.jobs.intel import known_plan
from bartizan.jobs.intel_shapes import change_json, deed_json
from bartizan.model.window import format_time


def reject_intel(plan_id: str, by: str, at: datetime, why: str) -> dict[str, Any]:
    """Write down that a plan is not to be applied."""
    from bartizan.store.intel_audit import Deed, save_deed

    store = open_store()
    deed = Deed(at, by, "reject", known_plan(store, plan_id).id, why)
    save_deed(store, deed)
    return deed_json(deed)


def switch_intel(stopped: bool, by: str, why: str, at: datetime) -> dict[str, Any]:
    """Throw the switch: while it is thrown, nothing is added to any IP set."""
    from bartizan.store.intel_audit import load_deeds, set_stopped

    store = open_store()
    set_stopped(store, stopped, by, why, at)
    return deed_json(load_deeds(store, 1)[0])


def intel_status(at: datetime, most: int = 20) -> dict[str, Any]:
    """What we hold in which set, until when; the last changes, and who did what."""
    from bartizan.respond.ip_sets import MOST
    from bartizan.respond.switch import is_off
    from bartizan.store.intel import held, load_changes
    from bartizan.store.intel_audit import load_deeds
    from bartizan.store.intel_plans import load_targets

    store = open_store()
    targets = []
    for name, target in load_targets(store).items():
        entries = [row.entry for row in held(store, name).values()]
        targets.append(
            {
                "target": name,
                "mode": target.mode.value,
                "ip_set": target.ip_set_name,
                "account": target.account_id,
                "held": len(entries),
                "of": MOST,
                "overdue": sum(one.expires_at <= at for one in entries),
                "next_expiry": min((format_time(one.expires_at) for one in entries), default=None),
            }
        )
    return {
        "stopped": is_off(store),
        "targets": targets,
        "changes": [change_json(one) for one in load_changes(store, most)],
        "audit": [deed_json(one) for one in load_deeds(store, most)],
    }
