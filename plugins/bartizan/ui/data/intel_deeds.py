"""Taking an apply back, and the switch: what each would change, and doing it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bartizan import jobs
from bartizan.errors import BartizanError, UsageError
from bartizan.model.text import inert
from bartizan.store import Store
from bartizan.store.audit import DONE
from bartizan.store.intel import load_change
from bartizan.ui.data.audited import audited
from bartizan.ui.data.intel import intel
from bartizan.ui.data.intel_plans import PlanState


@dataclass(frozen=True)
class DeedPreview:
    """What a deed would change: `effect` in words; of an undo the networks that would leave the set
    and return to it, and those left as they are with why. `refused` says why it cannot be done."""

    kind: str
    name: str
    subject: str
    effect: str
    removed: tuple[str, ...]
    added: tuple[str, ...]
    left_out: tuple[tuple[str, str], ...]
    refused: str


def preview_undo(store: Store, change_id: str, by: str, at: datetime) -> DeedPreview:
    """Asks AWS what the set holds now; changes nothing. Raises UsageError for an unknown apply."""
    change = load_change(store, change_id)
    if change is None:
        raise UsageError("change", f"{inert(change_id)!r} is unknown", "open it from the overview")
    try:
        told = jobs.undo_intel(change_id, by, at, dry_run=True)
    except BartizanError as error:
        return _undo(change_id, "Nothing can be said of it.", refused=str(error))
    if told["state"] == DONE:
        return _undo(change_id, "Nothing.", refused="It was taken back before.")
    effect = (
        f"In the IP set of {change.target}, no longer blocked: {len(told['removed'])}; blocked "
        f"again: {len(told['added'])}. Entries of others stay."
    )
    return _undo(change_id, effect, told)


def preview_switch(store: Store, stopped: bool, at: datetime) -> DeedPreview:
    """What throwing the switch, or putting it back, would mean now."""
    found = intel(store, at)
    waiting = sum(one.state is PlanState.WAITS for one in found.plans)
    if stopped:
        effect = (
            f"From then on nothing is added to any IP set, and no other account is told anything. "
            f"Plans that wait now ({waiting}) cannot be applied. What is blocked ({found.held}) "
            f"stays until it expires or is taken back."
        )
        known = "It is stopped already." if found.switched_off else ""
        return DeedPreview(
            "stop", "Stop adding addresses", "all IP sets", effect, (), (), (), known
        )
    effect = (
        f"Plans can be applied again once somebody approves them; {waiting} wait now. Nothing is "
        f"applied by this itself."
    )
    known = "" if found.switched_off else "It is not stopped by the switch."
    return DeedPreview(
        "resume", "Let plans be applied again", "all IP sets", effect, (), (), (), known
    )


def undo(store: Store, change_id: str, by: str, at: datetime) -> dict[str, Any]:
    """Take one apply back; returns what the job returns, and raises as it does."""
    change = load_change(store, change_id)
    before = None if change is None else change.state.value
    return audited(
        store,
        at,
        by,
        "undo",
        f"change {inert(change_id)}",
        before,
        lambda: jobs.undo_intel(change_id, by, at, dry_run=False),
    )


def switch(store: Store, stopped: bool, by: str, why: str, at: datetime) -> dict[str, Any]:
    """Throw the switch or put it back; returns the deed."""
    action = "stop" if stopped else "resume"
    before = {"stopped": jobs.intel_stopped()}
    return audited(
        store,
        at,
        by,
        action,
        "respond",
        before,
        lambda: jobs.switch_intel(stopped, by, why, at),
    )


def _undo(
    change_id: str, effect: str, told: dict[str, Any] | None = None, refused: str = ""
) -> DeedPreview:
    found = told or {"removed": (), "added": (), "left_out": {}}
    return DeedPreview(
        "undo",
        "Take it back",
        change_id,
        effect,
        tuple(found["removed"]),
        tuple(found["added"]),
        tuple(found["left_out"].items()),
        refused,
    )
