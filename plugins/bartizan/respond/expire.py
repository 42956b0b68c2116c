"""Takes out of an IP set what its time is over. Needs the store and AWS WAF, nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from bartizan.model.intel import Network, Refusal
from bartizan.respond.edit import edit
from bartizan.respond.ip_sets import IpSet, Pace
from bartizan.respond.merge import Decision, Task, change_id
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

    task = Task(this, "expire", "", at, by, decide, _adds_nothing)
    return edit(store, ip_set, task, pace, dry_run)


def _adds_nothing(networks: Sequence[Network]) -> list[Refusal]:
    return [Refusal(one, "what expires only leaves") for one in networks]
