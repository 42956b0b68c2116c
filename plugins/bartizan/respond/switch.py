"""What keeps new entries out of all IP sets: a switch in the store, a setting, a target's mode."""

from __future__ import annotations

import os

from bartizan.errors import UsageError
from bartizan.model.intel import IpSetTarget
from bartizan.store.database import Store
from bartizan.store.intel_audit import is_stopped


def is_off(store: Store) -> bool:
    """Whether nothing is to be added to any IP set: by the switch, or by BARTIZAN_RESPOND, whatever
    it says but `ask` and `automatic`: a misspelt `off` is one too."""
    chosen = os.environ.get("BARTIZAN_RESPOND", "ask")
    return chosen not in ("ask", "automatic") or is_stopped(store)


def may_add(store: Store, target: IpSetTarget) -> None:
    """Raises UsageError where nothing may be added to the set of a target now."""
    if is_off(store):
        raise UsageError(
            "respond",
            "is stopped: nothing is added to any IP set",
            "`bartizan intel resume`, and no BARTIZAN_RESPOND=off",
        )
    if not target.mode.changes:
        raise UsageError(
            f"target {target.name}",
            f"is in mode {target.mode.value}",
            "set its mode to count or block to have its IP set changed",
        )
