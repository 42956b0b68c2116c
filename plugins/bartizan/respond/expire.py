"""Takes out of an IP set what its time is over. Needs the store and AWS WAF, nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from bartizan.model.intel import Network
from bartizan.respond.edit import Decision, Task, change_id, edit
from bartizan.respond.ip_sets import IpSet, Pace
from bartizan.store.database import Store
from bartizan.store.intel import IpSetChange, Row


def expire(
    store: Store, ip_set: IpSet, pace: Pace, by: str, at: datetime, dry_run: bool = True
) -> IpSetChange:
    """Remove our entries that expire at or before `at`, whatever the target's mode and the switch.

    Raises as `edit` does.
    """

    this = change_id("expire", "", ip_set.target.name, at)

    def decide(ours: Mapping[Network, Row]) -> Decision:
        due = {n: row for n, row in ours.items() if row.entry.expires_at <= at}
        return Decision(
            {n: replace(row, listed=False, change_id=this) for n, row in due.items()}, {}
        )

    return edit(store, ip_set, Task("expire", "", at, by, decide), pace, dry_run)
