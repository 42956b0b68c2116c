"""Jobs around answering back: candidates, plans, and changes of IP sets."""

# ruff: noqa: PLC0415  (rooms are imported when they are used: DAG files are parsed often)

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bartizan.config import PROJECT
from bartizan.errors import BartizanError, ConfigError, UsageError
from bartizan.jobs.here import open_engine, open_store, settings
from bartizan.jobs.intel_shapes import candidate_json, change_json
from bartizan.model.window import DAY, HOUR, Window, aware, floor

if TYPE_CHECKING:
    from bartizan.model.intel import IpSetTarget, Network, Plan, Refusal
    from bartizan.respond.config import RespondConfig
    from bartizan.respond.guard import Guard
    from bartizan.store import Store
    from bartizan.store.intel import IpSetChange, Row

LOOKS_BACK = DAY  # for candidates, unless a window is given
WEEK = 7 * DAY  # of allowed requests for the blast radius, and of verified bots
_USUAL = PROJECT / "include" / "intel.yaml"


def intel_enabled() -> bool:
    """Whether there is a file that says whom we may block, and where."""
    return bool(os.environ.get("BARTIZAN_INTEL")) or _USUAL.is_file()


def intel_automatic() -> bool:
    """Whether plans are applied within their limits without asking: BARTIZAN_RESPOND=automatic."""
    chosen = os.environ.get("BARTIZAN_RESPOND", "ask")
    if chosen not in ("off", "ask", "automatic"):
        raise UsageError("BARTIZAN_RESPOND", f"{chosen!r} is unknown", "off, ask or automatic")
    return chosen == "automatic"


def intel_stopped() -> bool:
    """Whether nothing is to be added to any IP set, so that nobody needs to be asked."""
    from bartizan.respond.switch import is_off

    return is_off(open_store())


def find_candidates(window: Window, most: int | None = None) -> dict[str, Any]:
    """Who could be blocked, by score, with the evidence: so many of `of` in all. `unreadable` are
    clients of the log that are no address."""
    from bartizan.respond.candidates import find

    found = find(open_engine(), window, _queries())
    return {
        "candidates": [candidate_json(one) for one in found.candidates[:most]],
        "of": len(found.candidates),
        "unreadable": list(found.unreadable),
    }


def plan_intel(window: Window, by: str, at: datetime) -> dict[str, Any]:
    """Make a plan from the candidates of a window and keep it. It changes no IP set.

    IP sets that cannot be read are named under `unread`: their room is not known before an apply.
    Clients of the log that are no address are named under `unreadable`.
    """
    from bartizan.respond.blast import simulate
    from bartizan.respond.candidates import find
    from bartizan.respond.plan import make_plan
    from bartizan.respond.share.heard import hear, taken_back
    from bartizan.store.intel import ledger
    from bartizan.store.intel_plans import plan_json, save_plan, save_targets
    from bartizan.store.intel_sharing import save_evidence

    config, engine, store = _config(at), open_engine(), open_store()
    save_targets(store, config.targets)
    found = find(engine, window, _queries())
    heard = hear(store, found.candidates, at)
    candidates = (*found.candidates, *heard.candidates)
    blast = simulate(engine, {one.network for one in candidates}, _week(at), _queries())
    rows = {target.name: ledger(store, target.name) for target in config.targets}
    foreign, unread = _foreign(config.targets, rows)
    made = make_plan(
        candidates,
        {name: [row.entry for row in known.values() if row.listed] for name, known in rows.items()},
        config.targets,
        config.limits,
        at,
        _guard(config, at),
        window,
        listed_before=_times(rows.values()),
        foreign=foreign,
        blast=blast,
        unfounded=taken_back(store, at),
    )
    plan = heard.bounded(made, blast)
    save_plan(store, plan, by)
    save_evidence(store, found.candidates, plan)
    return plan_json(plan) | {"unread": unread, "unreadable": list(found.unreadable)}


def apply_intel(plan_id: str, by: str, at: datetime, dry_run: bool) -> dict[str, Any]:
    """Bring a plan into its IP sets; those of targets in mode off or dry-run are only told of.

    A target that fails leaves the others alone and is named under `failed`. Raises UsageError for
    an unknown plan, and ConfigError, applying nothing, where the never-block list cannot be read.
    """
    from bartizan.respond.apply import apply_change
    from bartizan.respond.ip_sets import IpSet, Pace
    from bartizan.store.intel_plans import save_targets

    store, config = open_store(), _config(at)
    save_targets(store, config.targets)
    plan = known_plan(store, plan_id)
    guard, pace = _guard(config, at), Pace()
    targets = {target.name: target for target in config.targets}

    def changed(name: str) -> IpSetChange:
        target = _target(targets, name)
        (change,) = [one for one in plan.changes if one.target == name]
        told = dry_run or not target.mode.changes
        limits = config.limits
        return apply_change(
            store, IpSet(target), plan, change, guard.check, limits, pace, by, at, dry_run=told
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

    return change_json(undo(store, ip_set, change, guard, Pace(), by, at, dry_run))


def lookback(end: datetime) -> Window:
    """The window of candidates for a run whose hour ends then."""
    return Window(end - LOOKS_BACK, end)


def _each(names: Iterable[str], changed: Callable[[str], IpSetChange]) -> dict[str, Any]:
    """One set after the other; one that fails holds up no other."""
    changes, failed = [], {}
    for name in names:
        try:
            changes.append(change_json(changed(name)))
        except BartizanError as error:
            failed[name] = str(error)
    return {"changes": changes, "failed": failed}


def _foreign(
    targets: Iterable[IpSetTarget], rows: Mapping[str, Mapping[Network, Row]]
) -> tuple[dict[str, int], dict[str, str]]:
    """How many addresses in each set are of others, and why sets could not be read."""
    from bartizan.model.intel import Mode
    from bartizan.respond.ip_sets import IpSet

    foreign, unread = {}, {}
    for target in targets:
        if target.mode is Mode.OFF:
            continue
        ours = {network for network, row in rows[target.name].items() if row.listed}
        try:
            foreign[target.name] = len(IpSet(target).read().networks - ours)
        except BartizanError as error:
            unread[target.name] = str(error)
    return foreign, unread


def _times(rows: Iterable[Mapping[Network, Row]]) -> dict[Network, int]:
    """How often each network was listed, in whatever set."""
    times: dict[Network, int] = {}
    for known in rows:
        for network, row in known.items():
            times[network] = max(times.get(network, 0), row.entry.times)
    return times


def _config(at: datetime) -> RespondConfig:
    from bartizan.respond.config import read_config

    path = Path(os.environ.get("BARTIZAN_INTEL") or _USUAL)
    if not path.is_file():
        copy = "copy examples/intel.yaml to it, or name another file by BARTIZAN_INTEL"
        raise ConfigError(str(path), "no such file, so nobody may be blocked", copy)
    return read_config(path, at)


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


def known_plan(store: Store, plan_id: str) -> Plan:
    """Raises UsageError for a plan that nobody made."""
    from bartizan.store.intel_plans import load_plan

    plan = load_plan(store, plan_id)
    if plan is None:
        raise UsageError(f"plan {plan_id!r}", "is unknown", "see `bartizan intel status`")
    return plan


def _target(targets: dict[str, IpSetTarget], name: str) -> IpSetTarget:
    if name not in targets:
        raise ConfigError(f"target {name}", "is configured no more", "add it to intel.yaml again")
    return targets[name]
