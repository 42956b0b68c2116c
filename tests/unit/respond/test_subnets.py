"""An attacker who takes a new IPv6 address at each request, and who else lives in the /64."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest
from lakes import SmallLake, landed
from suspects import candidate, target

from bartizan.config import PROJECT
from bartizan.model.intel import Candidate, Plan
from bartizan.model.window import Window
from bartizan.respond.blast import simulate
from bartizan.respond.candidates import find, score
from bartizan.respond.config import Limits
from bartizan.respond.guard import Guard
from bartizan.respond.never_block import Layer, NeverBlock
from bartizan.respond.plan import make_plan
from bartizan.respond.subnets import LOOKED_AT, subnets

QUERIES = PROJECT / "include" / "sql" / "intel"
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAY, WEEK = Window(NOW - timedelta(days=1), NOW), Window(NOW - timedelta(days=7), NOW)
SUBNET = "2606:4700:1:2::/64"
LIMITS = Limits()


def address(number: int) -> str:
    """One of the subnet, in no order."""
    return str(ip_network(SUBNET)[number * 0x9E3779B97F4A7C15 % 2**64])


def request(number: int, client: str, action: str = "BLOCK", **columns: Any) -> dict[str, Any]:
    return {
        "event_time": DAY.end - timedelta(minutes=7 * (number % 200) + 1),
        "client_ip": client,
        "action": action,
        "terminating_rule_id": "sqli" if action == "BLOCK" else "Default_Action",
        "uri": f"/path/{number % 50}",
        "webacl": "shop",
    } | columns


ROTATING = [request(number, address(number)) for number in range(400)]
CROWD = [request(number, f"198.51.{number % 200}.7", "ALLOW") for number in range(1000)]


def lake(folder: Path, rows: list[dict[str, Any]]) -> SmallLake:
    small = SmallLake.open(folder)
    names = ("event_time", "client_ip", "webacl")
    hits = [
        {name: row[name] for name in names}
        | {"rule": row["terminating_rule_id"], "rule_action": "BLOCK", "request_action": "BLOCK"}
        | {"terminating": True}
        for row in rows
        if row["action"] == "BLOCK"
    ]
    small.land("a", requests=landed("requests", rows), rule_hits=landed("rule_hits", hits))
    return small


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> SmallLake:
    """A lake of the attacker and of users elsewhere."""
    return lake(tmp_path_factory.mktemp("attacked"), [*ROTATING, *CROWD])


@pytest.fixture(scope="module")
def loud(tmp_path_factory: pytest.TempPathFactory) -> SmallLake:
    """The same, and one address of the subnet that is enough by itself."""
    one = [request(number, address(1)) for number in range(300)]
    return lake(tmp_path_factory.mktemp("loud"), [*ROTATING, *one, *CROWD])


def planned(small: SmallLake, limits: Limits = LIMITS, *never: Layer) -> Plan:
    found = find(small.engine, DAY, QUERIES).candidates
    blast = simulate(small.engine, {one.network for one in found}, WEEK, QUERIES)
    guard = Guard(NeverBlock.of(never), limits)
    return make_plan(found, {}, [target("six", 6)], limits, NOW, guard, DAY, blast=blast)


def added(plan: Plan) -> list[str]:
    return [str(network) for change in plan.changes for network in change.add]


def why_not(plan: Plan, network: str = SUBNET) -> str:
    (found,) = [one.why for one in plan.refused if str(one.network) == network]
    return found


def of_subnet(small: SmallLake) -> Candidate:
    (found,) = [
        one for one in find(small.engine, DAY, QUERIES).candidates if str(one.network) == SUBNET
    ]
    return found


def test_addresses_that_are_nothing_alone_are_a_subnet_that_is_blocked(attacked: SmallLake) -> None:
    (one,) = find(attacked.engine, DAY, QUERIES).candidates
    seen = one.evidence
    assert str(one.network) == SUBNET
    assert (seen.requests, seen.blocked, seen.addresses) == (400, 400, 400)
    assert seen.uris == len({row["uri"] for row in ROTATING})
    assert seen.hours == len({row["event_time"].replace(minute=0) for row in ROTATING})
    assert (seen.first_seen, seen.last_seen) == (
        min(row["event_time"] for row in ROTATING),
        max(row["event_time"] for row in ROTATING),
    )
    assert (seen.rules, seen.webacls, seen.reasons) == (
        ("sqli",),
        ("shop",),
        ("several_addresses",),
    )
    assert one.score == score(seen)
    assert added(planned(attacked)) == [SUBNET]


def test_its_neighbours_count_whether_they_were_stopped_or_not(tmp_path: Path) -> None:
    users = [request(number, address(1000 + number % 9), "ALLOW") for number in range(100)]
    small = lake(tmp_path, [*ROTATING, *users, *CROWD])
    seen = of_subnet(small).evidence
    assert (seen.requests, seen.blocked, seen.addresses) == (500, 400, 400)
    assert "only 80.0% of its requests were blocked" in why_not(planned(small))


def test_what_was_let_through_last_week_is_its_blast_radius(tmp_path: Path) -> None:
    before = timedelta(days=3)
    user = request(0, address(5000), "ALLOW", event_time=NOW - before)
    small = lake(tmp_path, [*ROTATING, *CROWD, user])
    plan = planned(small)
    assert added(plan) == []
    assert why_not(plan).startswith("would have blocked 1 of 1001 allowed requests in ")


def test_whom_we_never_block_protects_the_subnet_around_it(attacked: SmallLake) -> None:
    probe = Layer("partner", (ip_network(f"{address(9999)}/128"),))
    plan = planned(attacked, LIMITS, probe)
    assert added(plan) == []
    assert why_not(plan) == f"never blocked: partner {address(9999)}/128"


@pytest.mark.parametrize(
    ("limits", "why"),
    [
        (Limits(widest_ipv6=128), "/64 is wider than /128"),
        (Limits(min_addresses=401), "400 stopped addresses are fewer than 401"),
    ],
    ids=["not at all", "more addresses"],
)
def test_it_can_be_left_at_single_addresses(loud: SmallLake, limits: Limits, why: str) -> None:
    plan = planned(loud, limits)
    assert added(plan) == [f"{address(1)}/128"]
    assert why_not(plan) == why


def test_an_address_inside_a_listed_subnet_is_not_listed_too(loud: SmallLake) -> None:
    plan = planned(loud)
    assert added(plan) == [SUBNET]
    assert why_not(plan, f"{address(1)}/128") == f"lies in {SUBNET}, which is added"


def test_what_makes_no_subnet(tmp_path: Path) -> None:
    """Too few, the same written in several ways, IPv4 inside IPv6, and what is no address."""
    few = [request(number, f"2606:4700:{number % (LOOKED_AT - 1):x}0::1") for number in range(40)]
    one = ip_address("2606:4700:9:9::a")
    forms = [str(one), one.exploded, str(one).upper(), "2606:4700:9:9:0:0:0:a", "2606:4700:9:9::0a"]
    mapped = [f"::ffff:198.51.100.{number}" for number in range(20)]
    hostile = ["2606:4700:1:2::/64", "fe80::1%eth0", ":::", "a:b", "<b>:</b>", ":" * 5000]
    ours = [
        request(n, f"2606:4700:5:5::{n:x}", terminating_rule_id="bartizan-v6") for n in range(9)
    ]
    rows = [request(0, client) for client in (*forms, *mapped, *hostile)]
    assert len({request["client_ip"] for request in rows}) == len(rows)
    assert subnets(lake(tmp_path, [*few, *rows, *ours]).engine, DAY, QUERIES) == []


def test_a_client_that_calls_itself_a_subnet_adds_nothing_to_it(tmp_path: Path) -> None:
    liar = [request(number, SUBNET) for number in range(500)]
    small = lake(tmp_path, [*ROTATING, *liar, *CROWD])
    assert of_subnet(small).evidence.requests == 400
    assert find(small.engine, DAY, QUERIES).unreadable == (SUBNET,)


def test_the_outermost_of_several_networks_is_added() -> None:
    found = [candidate(one) for one in ("2606:4700::/63", "2606:4700::/64", "2606:4700::1/128")]
    limits = Limits(widest_ipv6=48)
    guard = Guard(NeverBlock.of([]), limits)
    plan = make_plan(found, {}, [target("six", 6)], limits, NOW, guard, DAY)
    assert added(plan) == ["2606:4700::/63"]
    assert len(plan.refused) == 2
