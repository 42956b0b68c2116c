"""Jobs around answering back: candidates, plans, and changes of IP sets."""

# ruff: noqa: PLC0415  (rooms are imported when they are used: DAG files are parsed often)

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bartizan.config import PROJECT
from bartizan.errors import BartizanError, ConfigError, UsageError
from bartizan.jobs.here import open_engine, open_store, settings
from bartizan.model.window import DAY, HOUR, Window, aware, floor, format_time

if TYPE_CHECKING:
    from bartizan.model.intel import Candidate, IpSetTarget, Network, Plan, Refusal
    from bartizan.respond.config import RespondConfig
    from bartizan.respond.guard import Guard
    from bartizan.store import Store
    from bartizan.store.intel import IpSetChange
    from bartizan.store.intel_audit import Deed

LOOKS_BACK = DAY  # for candidates, unless a window is given
WEEK = 7 * DAY  # of allowed requests for the blast radius, and of verified bots
_USUAL = PROJECT / "include" / "intel.yaml"


def intel_enabled() -> bool:
    """Whether there is a file that says whom we may block, and where."""
    return "BARTIZAN_INTEL" in os.environ or _USUAL.is_file()


def intel_automatic() -> bool:
    """Whether plans are applied within their limits without asking: BARTIZAN_RESPOND=automatic."""
    chosen = os.environ.get("BARTIZAN_RESPOND", "ask")
    if chosen not in ("off", "ask", "automatic"):
        raise UsageError("BARTIZAN_RESPOND", f"{chosen!r} is unknown", "off, ask or automatic")
    return chosen == "automatic"


def find_candidates(window: Window) -> list[dict[str, Any]]:
    """Who could be blocked, by score, with the evidence."""
    from bartizan.respond.candidates import find

    return [_candidate(one) for one in find(open_engine(), window, _queries()).candidates]


def plan_intel(window: Window, by: str, at: datetime) -> dict[str, Any]:
    """Make a plan from the candidates of a window and keep it. It changes no IP set."""
    from bartizan.respond.blast import simulate
    from bartizan.respond.candidates import find
    from bartizan.respond.plan import make_plan
    from bartizan.respond.share.heard import hear
    from bartizan.store.intel import ledger
    from bartizan.store.intel_plans import plan_json, save_plan, save_targets
    from bartizan.store.intel_sharing import save_evidence

    config, engine, store = _config(at), open_engine(), open_store()
    save_targets(store, config.targets)
    own = find(engine, window, _queries()).candidates
    heard = hear(store, own, at)
    found = (*own, *heard.candidates)
    blast = simulate(engine, {one.network for one in found}, _week(at), _queries())
    rows = {target.name: ledger(store, target.name) for target in config.targets}
    before: dict[Any, int] = {}
    for known in rows.values():
        for network, row in known.items():
            before[network] = max(before.get(network, 0), row.entry.times)
    listed = {name: [r.entry for r in known.values() if r.listed] for name, known in rows.items()}
    made = make_plan(
        found,
        listed,
        config.targets,
        config.limits,
        at,
        _guard(config, at),
        window,
        listed_before=before,
        blast=blast,
    )
    plan = heard.bounded(made)
    save_plan(store, plan, by)
    save_evidence(store, own, plan)
    return plan_json(plan)


def apply_intel(plan_id: str, by: str, at: datetime, dry_run: bool) -> dict[str, Any]:
    """Bring a plan into its IP sets; those of targets in mode off or dry-run are only told of.

    A target that fails leaves the others alone and is named under `failed`. Raises UsageError for
    an unknown plan, and ConfigError, applying nothing, where the never-block list cannot be read.
    """
    from bartizan.respond.apply import CHANGING, apply_change
    from bartizan.respond.ip_sets import IpSet, Pace

    store, config = open_store(), _config(at)
    plan = _plan(store, plan_id)
    guard, pace = _guard(config, at), Pace()
    targets = {target.name: target for target in config.targets}

    def changed(name: str) -> IpSetChange:
        target = _target(targets, name)
        (change,) = [one for one in plan.changes if one.target == name]
        told = dry_run or target.mode not in CHANGING
        return apply_change(
            store, IpSet(target), plan, change, guard.check, pace, by, at, dry_run=told
        )

    return {"plan": plan_id} | _each([one.target for one in plan.changes], changed)


def expire_intel(by: str, at: datetime, dry_run: bool) -> dict[str, Any]:
    """Take out what expired, in every set where we hold something. Needs no configuration."""
    from bartizan.respond.expire import expire
    from bartizan.respond.ip_sets import IpSet, Pace
    from bartizan.store.intel import targets_held
    from bartizan.store.intel_plans import load_targets

    store, pace = open_store(), Pace()
    targets = load_targets(store)

    def changed(name: str) -> IpSetChange:
        return expire(store, IpSet(_target(targets, name)), pace, by, at, dry_run)

    return _each(targets_held(store), changed)


def undo_intel(change_id: str, by: str, at: datetime, dry_run: bool) -> dict[str, Any]:
    """Take one apply back; the never-block list is only needed where an entry returns. Raises
    UsageError for an unknown apply."""
    from bartizan.respond.ip_sets import IpSet, Pace
    from bartizan.respond.undo import undo
    from bartizan.store.intel import load_change
    from bartizan.store.intel_plans import load_targets

    store = open_store()
    change = load_change(store, change_id)
    if change is None:
        raise UsageError(f"change {change_id!r}", "is unknown", "see `bartizan intel status`")
    ip_set = IpSet(_target(load_targets(store), change.target))

    def guard(networks: Sequence[Network]) -> list[Refusal]:
        return _guard(_config(at), at).check(networks)

    return _change(undo(store, ip_set, change, guard, Pace(), by, at, dry_run))


def reject_intel(plan_id: str, by: str, at: datetime, why: str) -> dict[str, Any]:
    """Write down that a plan is not to be applied."""
    from bartizan.store.intel_audit import Deed, save_deed

    store = open_store()
    deed = Deed(at, by, "reject", _plan(store, plan_id).id, why)
    save_deed(store, deed)
    return _deed(deed)


def switch_intel(stopped: bool, by: str, why: str, at: datetime) -> dict[str, Any]:
    """Throw the switch: while it is thrown, nothing is added to any IP set."""
    from bartizan.store.intel_audit import load_deeds, set_stopped

    store = open_store()
    set_stopped(store, stopped, by, why, at)
    return _deed(load_deeds(store, 1)[0])


def intel_status(at: datetime, most: int = 20) -> dict[str, Any]:
    """What we hold in which set, until when; the last changes, and who did what."""
    from bartizan.respond.apply import is_off
    from bartizan.respond.ip_sets import MOST
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
        "changes": [_change(one) for one in load_changes(store, most)],
        "audit": [_deed(one) for one in load_deeds(store, most)],
    }


def lookback(end: datetime) -> Window:
    """The window of candidates for a run whose hour ends then."""
    return Window(end - LOOKS_BACK, end)


def _each(names: Iterable[str], changed: Callable[[str], IpSetChange]) -> dict[str, Any]:
    """One set after the other; one that fails holds up no other."""
    changes, failed = [], {}
    for name in names:
        try:
            changes.append(_change(changed(name)))
        except BartizanError as error:
            failed[name] = str(error)
    return {"changes": changes, "failed": failed}


def _config(at: datetime) -> RespondConfig:
    from bartizan.respond.config import read_config

    named = os.environ.get("BARTIZAN_INTEL")
    return read_config(Path(named) if named else _USUAL, at)


def _guard(config: RespondConfig, at: datetime) -> Guard:
    from bartizan.respond.candidates import verified_bots
    from bartizan.respond.guard import Guard

    never_block = config.never_block
    if config.verified_bots:
        never_block = never_block.also(verified_bots(open_engine(), _week(at), _queries()))
    return Guard(never_block, config.limits)


def _queries() -> Path:
    return settings().sql / "intel"


def _week(at: datetime) -> Window:
    end = floor(aware(at), HOUR)
    return Window(end - WEEK, end)


def _plan(store: Store, plan_id: str) -> Plan:
    from bartizan.store.intel_plans import load_plan

    plan = load_plan(store, plan_id)
    if plan is None:
        raise UsageError(f"plan {plan_id!r}", "is unknown", "see `bartizan intel status`")
    return plan


def _target(targets: dict[str, IpSetTarget], name: str) -> IpSetTarget:
    if name not in targets:
        raise ConfigError(f"target {name}", "is configured no more", "add it to intel.yaml again")
    return targets[name]


def _candidate(one: Candidate) -> dict[str, Any]:
    seen = one.evidence
    return {
        "network": str(one.network),
        "score": one.score,
        "requests": seen.requests,
        "blocked": seen.blocked,
        "share": round(seen.blocked_share, 4),
        "hours": seen.hours,
        "uris": seen.uris,
        "rules": list(seen.rules),
        "reasons": list(seen.reasons),
        "webacls": list(seen.webacls),
        "first_seen": format_time(seen.first_seen),
        "last_seen": format_time(seen.last_seen),
    }


def _change(one: IpSetChange) -> dict[str, Any]:
    return {
        "id": one.id,
        "kind": one.kind,
        "target": one.target,
        "at": format_time(one.at),
        "by": one.by,
        "state": one.state.value,
        "added": [str(network) for network in one.added],
        "removed": [str(network) for network in one.removed],
        "left_out": {str(network): why for network, why in one.left_out.items()},
        "size": len(one.after),
        "receipt": one.receipt,
    }


def _deed(one: Deed) -> dict[str, Any]:
    return {
        "at": format_time(one.at),
        "by": one.by,
        "what": one.what,
        "subject": one.subject,
        "detail": one.detail,
    }
