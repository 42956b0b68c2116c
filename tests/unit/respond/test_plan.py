"""No plan ever holds a protected address or exceeds a limit; what it does is what it says."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from ipaddress import IPv4Address, IPv6Address, ip_network
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from suspects import NOW, WINDOW, candidate, entry, target

from bartizan.model.intel import Candidate, Entry, Mode, Network, Plan
from bartizan.respond.blast import Blast
from bartizan.respond.config import LARGEST_SET, Limits
from bartizan.respond.guard import Guard
from bartizan.respond.never_block import Layer, NeverBlock
from bartizan.respond.plan import make_plan, time_to_live

PROTECTED = ("8.8.8.0/28", "9.9.9.9/32", "2a00:1450::/60")
NEVER = NeverBlock.of([Layer("partner", tuple(map(ip_network, PROTECTED)))])
LIMITS = Limits(widest_ipv4=24, widest_ipv6=48, max_new=4, max_entries=5)
TARGETS = [target("four"), target("six", 6), target("four-b", mode=Mode.DRY_RUN)]

# Small corners of the address space, so that networks meet each other and the protected ranges.
v4 = st.builds(
    lambda base, offset, length: ip_network((int(IPv4Address(base)) + offset, length), False),
    st.sampled_from(["8.8.8.0", "9.9.9.0", "10.0.0.0", "203.0.113.0", "1.1.1.0"]),
    st.integers(0, 40),
    st.integers(22, 32),
)
v6 = st.builds(
    lambda base, offset, length: ip_network((int(IPv6Address(base)) + offset, length), False),
    st.sampled_from(["2a00:1450::", "::ffff:8.8.8.0", "::ffff:1.1.1.0", "2606:4700::", "fe80::"]),
    st.integers(0, 2**70),
    st.integers(40, 128),
)
networks = st.one_of(v4, v6)
candidates = st.lists(
    st.builds(
        candidate,
        networks,
        st.floats(0, 100),
        blocked=st.sampled_from([10, 100, 5000]),
        requests=st.sampled_from([5000, 50]),
    ),
    max_size=20,
)
entries = st.lists(
    st.builds(
        lambda network, hours, times, score: replace(
            entry("1.1.1.1", hours, times, score), network=network
        ),
        networks,
        st.integers(-5, 5),
        st.integers(1, 9),
        st.floats(0, 100),
    ),
    max_size=8,
    unique_by=lambda one: one.network,
)


def plan_of(
    found: list[Candidate],
    held: dict[str, list[Entry]] | None = None,
    limits: Limits = LIMITS,
    **more: Any,
) -> Plan:
    guard = Guard(NEVER, limits)
    return make_plan(found, held or {}, TARGETS, limits, NOW, guard, WINDOW, **more)


def of_version(held: list[Entry], version: int) -> list[Entry]:
    return [one for one in held if one.network.version == version]


@settings(max_examples=200)
@given(candidates, entries, st.integers(0, 7), st.lists(st.integers(0, 200), min_size=20))
def test_no_plan_holds_a_protected_address_or_exceeds_a_limit(
    found: list[Candidate], held: list[Entry], foreign: int, reached: list[int]
) -> None:
    ours = {
        "four": of_version(held, 4),
        "six": of_version(held, 6),
        "four-b": of_version(held, 4)[:1],
    }
    by_network = {one.network: count for one, count in zip(found, reached, strict=False)}
    blast = Blast(WINDOW, 1_000_000, by_network)
    plan = plan_of(found, ours, foreign={"four": foreign}, blast=blast)
    special = [ip_network(text) for text in (*PROTECTED, "10.0.0.0/8", "203.0.113.0/24")]
    mapped, link_local = ip_network("::ffff:0:0/96"), ip_network("fe80::/10")
    added = {network for change in plan.changes for network in change.add}

    for network in added:
        for kept in (*special, mapped, link_local):
            assert network.version != kept.version or not network.overlaps(kept)
        assert network.prefixlen >= (24 if network.version == 4 else 48)
    assert len(added) <= LIMITS.max_new
    assert sum(by_network[network] for network in added) <= 100  # 0.01% of a million
    assert plan.blast_radius == sum(by_network[network] for network in added) / 1_000_000
    assert all(network in {one.network for one in found} for network in added)

    for change in plan.changes:
        before = {one.network: one for one in ours[change.target]}
        after = (before.keys() | set(change.add)) - set(change.remove)
        room = LIMITS.max_entries - (foreign if change.target == "four" else 0)
        assert len(after) <= max(0, room)
        assert set(change.remove) <= before.keys()
        assert not set(change.remove) & set(change.add)
        assert change.keep == len(after - set(change.add))
        assert change.why.keys() == set(change.add) | set(change.remove)
        assert tuple(one.network for one in change.entries) == change.add
        assert all(NOW < one.expires_at <= NOW + LIMITS.max_ttl for one in change.entries)
        for network in after - set(change.add):
            assert before[network].expires_at > NOW and NEVER.why(network) is None


@settings(max_examples=50)
@given(candidates, entries, st.randoms(use_true_random=False))
def test_the_same_facts_in_any_order_are_the_same_plan(
    found: list[Candidate], held: list[Entry], draw: Any
) -> None:
    one = plan_of(found, {"four": of_version(held, 4)})
    draw.shuffle(held)
    draw.shuffle(found)
    # Of candidates that only differ in what the order does not look at, either may be taken.
    if len({candidate.network for candidate in found}) == len(found):
        assert plan_of(found, {"four": of_version(held, 4)}) == one


@settings(max_examples=50)
@given(candidates)
def test_every_candidate_is_added_or_refused_with_a_reason(found: list[Candidate]) -> None:
    plan = plan_of(found)
    answered = {network for change in plan.changes for network in change.add}
    answered |= {one.network for one in plan.refused if one.why}

    # One inside another that is added is blocked by it.
    assert {one.network for one in found} == answered


def test_expired_entries_leave_unless_their_address_still_attacks_and_then_stay_longer() -> None:
    held = [entry("1.1.1.1", -1), entry("1.1.1.2", -1, times=2), entry("1.1.1.3", 1)]
    found = [candidate("1.1.1.2"), candidate("1.1.1.3"), candidate("1.1.1.4")]

    change = plan_of(found, {"four": held}, listed_before={ip_network("1.1.1.4/32"): 1}).changes[0]

    assert [str(one) for one in change.remove] == ["1.1.1.1/32"]
    assert change.keep == 1
    assert {str(one.network): (one.times, one.expires_at - NOW) for one in change.entries} == {
        "1.1.1.2/32": (3, timedelta(hours=4 * 4**2)),
        "1.1.1.4/32": (2, timedelta(hours=4 * 4)),
    }


def test_an_entry_that_is_protected_today_leaves_though_it_has_not_expired() -> None:
    change = plan_of([], {"four": [entry("8.8.8.8", 5), entry("1.1.1.1", 5)]}).changes[0]

    assert change.remove == (ip_network("8.8.8.8/32"),)
    assert "partner 8.8.8.0/28" in change.why[change.remove[0]]


@pytest.mark.parametrize("times", [1, 2, 3, 4, 5, 10, 1000, 10**9])
def test_time_to_live_grows_to_its_maximum_and_never_beyond(times: int) -> None:
    hours = time_to_live(times, Limits()) / timedelta(hours=1)

    assert hours == min(4.0 * 4.0 ** min(times - 1, 20), 14 * 24)


def test_a_full_set_loses_its_least_evidence_and_says_so() -> None:
    held = [entry(f"1.1.1.{n}", 5, score=10.0 * n) for n in range(1, 6)]
    found = [candidate("2.2.2.1", 95), candidate("2.2.2.2", 30), candidate("2.2.2.3", 35)]

    plan = plan_of(found, {"four": held})
    change = plan.changes[0]

    # 10 and 20 of the old leave; 95 enters, 35 enters, 30 ties with an old one, which stays.
    assert {str(one) for one in change.remove} == {"1.1.1.1/32", "1.1.1.2/32"}
    assert {str(one) for one in change.add} == {"2.2.2.1/32", "2.2.2.3/32"}
    assert [str(one.network) for one in plan.refused] == ["2.2.2.2/32"]
    assert "four is full of stronger evidence (5 entries)" in plan.refused[0].why


def test_ten_thousand_entries_are_the_edge_and_foreign_ones_count() -> None:
    first = int(IPv4Address("1.1.0.0"))
    held = [
        Entry(ip_network((first + n, 32)), NOW, NOW + timedelta(hours=1), 1, 50.0 + n / LARGEST_SET)
        for n in range(LARGEST_SET - 1)
    ]
    found = [candidate("2.2.2.1", 90), candidate("2.2.2.2", 91)]

    change = plan_of(found, {"four": held}, Limits()).changes[0]
    crowded = plan_of(found, {"four": held}, Limits(), foreign={"four": 9_999}).changes[0]

    assert len(change.add) == 2 and change.remove == (held[0].network,)
    assert change.keep + len(change.add) == LARGEST_SET
    assert crowded.add == (ip_network("2.2.2.2/32"),) and crowded.keep == 0
    assert len(crowded.remove) == len(held)


def test_the_strongest_enter_within_the_limit_of_a_run_counted_over_all_targets() -> None:
    found = [candidate(f"1.1.1.{n}", 30 + n) for n in range(1, 7)] + [candidate("2606::1", 99)]

    plan = plan_of(found)
    added = Counter(str(network) for change in plan.changes for network in change.add)

    assert added == {"1.1.1.6/32": 2, "1.1.1.5/32": 2, "1.1.1.4/32": 2, "2606::1/128": 1}
    assert {str(one.network): one.why for one in plan.refused} == dict.fromkeys(
        ("1.1.1.1/32", "1.1.1.2/32", "1.1.1.3/32"),
        "the limit of 4 new entries per run is reached",
    )


def test_without_a_simulation_or_without_traffic_to_simulate_on() -> None:
    found = [candidate("1.1.1.1"), candidate("1.1.1.2")]
    quiet: dict[Network, int] = {one.network: 0 for one in found}

    assert plan_of(found).blast_radius is None
    for blast, why in (
        (Blast(WINDOW, 0, quiet), "no allowed requests"),
        (Blast(WINDOW, 1000, {}), "not simulated"),
    ):
        plan = plan_of(found, blast=blast)
        assert plan.changes[0].add == ()
        assert all(why in one.why for one in plan.refused) and len(plan.refused) == 2


def test_who_approves_sees_what_was_allowed_from_an_address_before() -> None:
    found = candidate("1.1.1.1")
    change = plan_of([found], blast=Blast(WINDOW, 10**6, {found.network: 42})).changes[0]

    assert change.why[found.network].endswith("Z, 42 requests allowed before")


def test_targets_that_are_off_are_left_alone_and_ids_tell_plans_apart() -> None:
    off = [replace(TARGETS[0], mode=Mode.OFF)]
    guard = Guard(NEVER, LIMITS)
    held = {"four": [entry("1.1.1.1", -1)]}

    assert make_plan([candidate("1.1.1.2")], held, off, LIMITS, NOW, guard, WINDOW).changes == ()
    ids = {plan_of([candidate("1.1.1.1")]).id, plan_of([]).id, plan_of([], held).id}
    assert len(ids) == 3
    assert plan_of([]).id in ids
