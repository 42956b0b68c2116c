"""What the store holds of threat intelligence, put there by the library's own calls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from ipaddress import ip_network

from bartizan.model.intel import (
    Candidate,
    Change,
    Entry,
    Evidence,
    IpSetTarget,
    Mode,
    Plan,
    Refusal,
)
from bartizan.model.window import DAY, Window
from bartizan.store import Store
from bartizan.store.intel import ChangeState, IpSetChange, Row, finish
from bartizan.store.intel_plans import save_plan, save_targets
from bartizan.store.intel_sharing import Said, accept, save_evidence

ACCOUNT, OTHER, TELLS = "111122223333", "444455556666", "777788889999"
SHOP = IpSetTarget(
    "shop-v4", "bartizan-v4", "REGIONAL", "eu-central-1", ACCOUNT, None, 4, Mode.BLOCK
)
EDGE = IpSetTarget(
    "edge-v6", "bartizan-v6", "CLOUDFRONT", "us-east-1", OTHER, None, 6, Mode.DRY_RUN
)


def evidence(blocked: int = 1200, rules: tuple[str, ...] = ("SQLi_BODY", "XSS_URI")) -> Evidence:
    first = datetime.fromisoformat("2026-11-16T01:00:00+00:00")
    return Evidence(
        blocked + 12, blocked, rules, 41, 9, first, first + 9 * timedelta(hours=1), ("shop",),
        ("blocked_by_many_rules",),
    )  # fmt: skip


def holds(store: Store, target: IpSetTarget, at: datetime, ends: Mapping[str, datetime]) -> str:
    """An apply at a time put these networks into the set; returns its id."""
    save_targets(store, [target])
    entries = [Entry(ip_network(one), at, end, 1, 61.5) for one, end in ends.items()]
    change = IpSetChange(
        id=f"apply-{target.name}-{at:%H%M}",
        kind="apply",
        target=target.name,
        subject="an earlier plan",
        at=at,
        by="dana",
        state=ChangeState.INTENDED,
        added=tuple(one.network for one in entries),
        removed=(),
        left_out={},
        before=("192.0.2.0/24",),
        after=("192.0.2.0/24", *ends),
        rows={one.network: Row(one, True, f"apply-{target.name}-{at:%H%M}") for one in entries},
        former={},
        receipt="",
    )
    finish(store, change, f"added {len(entries)}, removed 0")
    return change.id


def planned(
    store: Store,
    at: datetime,
    add: tuple[str, ...] = ("203.0.113.7/32",),
    refused: Mapping[str, str] | None = None,
    rules: tuple[str, ...] = ("SQLi_BODY", "XSS_URI"),
) -> Plan:
    """A plan for the shop, with the evidence of what it adds."""
    save_targets(store, [SHOP])
    networks = tuple(map(ip_network, add))
    until = at + timedelta(hours=4)
    why = f"score 61.5, listing 1, until {until:%Y-%m-%dT%H:%M:%SZ}, 3 requests allowed before"
    change = Change(
        SHOP.name,
        networks,
        (),
        0,
        dict.fromkeys(networks, why),
        tuple(Entry(one, at, until, 1, 61.5) for one in networks),
    )
    kept_out = tuple(Refusal(ip_network(one), text) for one, text in (refused or {}).items())
    plan = Plan.of(Window(at - DAY, at), at, (change,), kept_out, 0.000012)
    save_plan(store, plan, "respond")
    save_evidence(store, [Candidate(one, evidence(rules=rules), 61.5) for one in networks], plan)
    return plan


def heard(
    store: Store, at: datetime, *networks: str, families: tuple[str, ...] = ("SQLi",)
) -> None:
    """Another account says this of networks, for six hours."""
    told = replace(evidence(300), rules=families, reasons=(f"account {TELLS}",))
    said = [
        Said(TELLS, at, at + timedelta(hours=6), Candidate(ip_network(one), told, 48.2))
        for one in networks
    ]
    assert accept(store, TELLS, f"event of {at}", at, said)


def blocks(store: Store, at: datetime) -> None:
    """Something of everything: a plan, entries in two accounts, one about to end, and hearsay."""
    hour = timedelta(hours=1)
    planned(store, at, refused={"203.0.113.9/32": "never blocked: partner 203.0.113.9/32"})
    holds(store, SHOP, at - hour, {"203.0.113.1/32": at + hour / 2})
    holds(store, EDGE, at - hour, {"2001:db8::7/128": at + 3 * hour})
    heard(store, at, "203.0.113.1/32", "198.51.100.9/32")
