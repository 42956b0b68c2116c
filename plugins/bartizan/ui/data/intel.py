"""Threat intelligence: from who is proposed to who is blocked, until when, and who did what."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bartizan import jobs
from bartizan.jobs.intel_shapes import candidate_json
from bartizan.model.intel import Candidate, IpSetTarget
from bartizan.respond.ip_sets import MOST
from bartizan.store import Store
from bartizan.store.intel import ChangeState
from bartizan.store.intel_audit import Deed, is_stopped, load_deeds
from bartizan.store.intel_overview import (
    ChangeCounts,
    count_listed,
    count_networks,
    last_changes,
    listed_among,
    next_to_end,
    strongest_said,
)
from bartizan.store.intel_plans import load_plans, load_targets
from bartizan.store.intel_sharing import Said, load_evidence
from bartizan.ui.data.intel_plans import Summary, summary

SOON = timedelta(hours=1)
MOST_PLANS, MOST_CHANGES, MOST_DEEDS, MOST_LISTED, MOST_HEARD = 5, 10, 20, 50, 50


@dataclass(frozen=True)
class Listed:
    """An entry of ours in an IP set. `evidence` is that of our own logs, None where they say
    nothing of it; `state` is active, expiring (within the hour) or overdue."""

    network: str
    score: float
    times: int
    added_at: datetime
    expires_at: datetime
    state: str
    evidence: dict[str, Any] | None


@dataclass(frozen=True)
class IpSetStands:
    """What we hold in one IP set: `held` of `of`, the next to expire first; `size` is what the set
    held, entries of others included, when we changed it last, where that is among the changes."""

    target: str
    account: str
    ip_set: str
    region: str
    mode: str
    changes: bool
    held: int
    of: int
    size: int | None
    expiring: int
    overdue: int
    entries: tuple[Listed, ...]
    more: int


@dataclass(frozen=True)
class HeardOf:
    """What another account says of a network; `listed` when we hold it."""

    account: str
    network: str
    score: float
    blocked: int
    requests: int
    families: tuple[str, ...]
    until: datetime
    listed: bool


@dataclass(frozen=True)
class Made:
    """A change of an IP set, and whether it can be taken back."""

    change: ChangeCounts
    undoable: bool


@dataclass(frozen=True)
class Intel:
    """`blocked` counts addresses, `held` their entries in all sets, `expiring` those that end in
    an hour or should have ended; `stopped` says why nothing is added now, empty when plans may be
    applied."""

    configured: bool
    stopped: str
    switched_off: bool
    blocked: int
    held: int
    expiring: int
    sets: tuple[IpSetStands, ...]
    plans: tuple[Summary, ...]
    heard: tuple[HeardOf, ...]
    heard_more: int
    changes: tuple[Made, ...]
    deeds: tuple[Deed, ...]


def intel(store: Store, at: datetime) -> Intel:
    """What the store knows; nothing is asked of AWS or of the lake."""
    changes = last_changes(store, MOST_CHANGES)
    sizes = {one.target: one.size for one in reversed(changes)}
    sets = tuple(
        _stands(store, one, sizes.get(one.name), at) for one in load_targets(store).values()
    )
    said, said_in_all = strongest_said(store, at, MOST_HEARD)
    return Intel(
        configured=jobs.intel_enabled(),
        stopped=why_stopped(store),
        switched_off=is_stopped(store),
        blocked=count_networks(store),
        held=sum(one.held for one in sets),
        expiring=sum(one.expiring + one.overdue for one in sets),
        sets=sets,
        plans=tuple(summary(store, one, at) for one in load_plans(store, MOST_PLANS)),
        heard=_heard(store, said),
        heard_more=said_in_all - len(said),
        changes=tuple(_made(one) for one in changes),
        deeds=tuple(load_deeds(store, MOST_DEEDS)),
    )


def why_stopped(store: Store) -> str:
    """What keeps new entries out of all sets, in words; empty where nothing does."""
    if is_stopped(store):
        return "the switch is thrown"
    if jobs.intel_stopped():
        return f"BARTIZAN_RESPOND says {os.environ['BARTIZAN_RESPOND']!r}"
    return ""


def _heard(store: Store, said: Sequence[Said]) -> tuple[HeardOf, ...]:
    listed = listed_among(store, [one.candidate.network for one in said])
    return tuple(
        HeardOf(
            one.account,
            str(one.candidate.network),
            one.candidate.score,
            one.candidate.evidence.blocked,
            one.candidate.evidence.requests,
            one.candidate.evidence.rules,
            one.until,
            one.candidate.network in listed,
        )
        for one in said
    )


def _made(change: ChangeCounts) -> Made:
    undoable = change.kind == "apply" and change.state in (ChangeState.DONE, ChangeState.INTENDED)
    return Made(change, undoable)


def _stands(store: Store, target: IpSetTarget, size: int | None, at: datetime) -> IpSetStands:
    counts = count_listed(store, target.name, at, at + SOON)
    entries = next_to_end(store, target.name, MOST_LISTED)
    known = load_evidence(store, [one.network for one in entries])
    return IpSetStands(
        target=target.name,
        account=target.account_id,
        ip_set=target.ip_set_name,
        region="global" if target.scope == "CLOUDFRONT" else target.region,
        mode=target.mode.value,
        changes=target.mode.changes,
        held=counts.held,
        of=MOST,
        size=size,
        expiring=counts.ending,
        overdue=counts.overdue,
        entries=tuple(
            Listed(
                network=str(one.network),
                score=one.candidate_score,
                times=one.times,
                added_at=one.added_at,
                expires_at=one.expires_at,
                state=_state(one.expires_at, at),
                evidence=_told(known.get(one.network)),
            )
            for one in entries
        ),
        more=counts.held - len(entries),
    )


def _state(expires_at: datetime, at: datetime) -> str:
    if expires_at <= at:
        return "overdue"
    return "expiring" if expires_at <= at + SOON else "active"


def _told(one: Candidate | None) -> dict[str, Any] | None:
    return None if one is None else candidate_json(one)
