"""Each attack, counted in the parsed logs against the same day without attacks."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from upath import UPath

from bartizan.model.attack import AttackLabel
from bartizan.model.window import Window
from bartizan.simulate import ATTACKS, SimulationPlan, read_labels, simulate_day, write_labels

DAY = Window.parse("2026-11-16", "2026-11-17")
VOLUME = 20_000


def load(target: Path) -> list[dict]:
    records = []
    for path in sorted((target / "AWSLogs").rglob("*.gz")):
        for record in map(json.loads, gzip.decompress(path.read_bytes()).splitlines()):
            inner = [g["terminatingRule"] for g in record["ruleGroupList"] if g["terminatingRule"]]
            request = record["httpRequest"]
            records.append(
                {
                    "time": datetime.fromtimestamp(record["timestamp"] / 1000, UTC),
                    "webacl": record["webaclId"].split("/")[2],
                    "action": record["action"],
                    "rule": inner[0]["ruleId"] if inner else record["terminatingRuleId"],
                    "type": record["terminatingRuleType"],
                    "client": request["clientIp"],
                    "country": request["country"],
                    "method": request["httpMethod"],
                    "target": request["uri"] + "?" + request["args"],
                    "source": record["httpSourceName"],
                    "code": record["responseCodeSent"],
                }
            )
    return records


Records = list[dict]


@pytest.fixture(scope="module")
def plan() -> SimulationPlan:
    return SimulationPlan(DAY, VOLUME, seed=3, attack_window=DAY, attacks=tuple(ATTACKS))


@pytest.fixture(scope="module")
def labels(plan: SimulationPlan, tmp_path_factory) -> dict[str, AttackLabel]:
    target = UPath(tmp_path_factory.mktemp("labels"))
    assert write_labels(target, plan) == read_labels(target)
    return {label.kind: label for label in read_labels(target)}


@pytest.fixture(scope="module")
def attacked(plan: SimulationPlan, tmp_path_factory) -> Records:
    target = tmp_path_factory.mktemp("attacked")
    result = simulate_day(UPath(target), plan, date(2026, 11, 16))
    records = load(target)
    assert len(records) == result.records
    return records


@pytest.fixture(scope="module")
def quiet(tmp_path_factory) -> Records:
    target = tmp_path_factory.mktemp("quiet")
    simulate_day(UPath(target), SimulationPlan(DAY, VOLUME, seed=3), date(2026, 11, 16))
    return load(target)


@pytest.fixture
def during(attacked: Records, quiet: Records, labels: dict[str, AttackLabel]):
    """(attacked, quiet) records of the attack's web ACL inside its window."""

    def select(kind: str) -> tuple[Records, Records]:
        label = labels[kind]
        both = [
            [r for r in day if r["webacl"] == label.webacl and r["time"] in label.window]
            for day in (attacked, quiet)
        ]
        return both[0], both[1]

    return select


Select = Callable[[str], tuple[Records, Records]]


def blocks(records: Records, rule: str) -> Records:
    return [r for r in records if r["action"] == "BLOCK" and r["rule"] == rule]


def share(records: Records, **wanted: object) -> float:
    hits = [r for r in records if all(r[key] == value for key, value in wanted.items())]
    return len(hits) / len(records)


def test_outside_the_attacks_counts_do_not_differ(
    attacked: Records, quiet: Records, labels: dict[str, AttackLabel]
) -> None:
    def outside(day: Records) -> Counter:
        return Counter(
            (r["time"].hour, r["time"].minute // 5, r["webacl"], r["action"], r["rule"], r["code"])
            for r in day
            if not any(r["webacl"] == x.webacl and r["time"] in x.window for x in labels.values())
        )

    assert outside(attacked) == outside(quiet)
    assert len(attacked) > len(quiet)


def test_action_shift_blocks_most_by_default(during: Select) -> None:
    now, usual = during("action_shift")
    assert share(now, action="BLOCK", rule="Default_Action") == pytest.approx(0.55, abs=0.12)
    assert share(usual, action="BLOCK", rule="Default_Action") == 0
    assert len(now) == pytest.approx(len(usual), rel=0.25)


def test_unknown_source_names_a_new_source(during: Select) -> None:
    now, usual = during("unknown_source")
    assert share(now, source="UNKNOWN", action="ALLOW") == pytest.approx(0.3, abs=0.15)
    assert share(usual, source="ALB") == 1


def test_status_shift_answers_with_a_custom_response(during: Select) -> None:
    now, usual = during("status_shift")
    assert share(now, code=410, rule="retired-api-version") == pytest.approx(0.25, abs=0.1)
    assert share(usual, code=410) < 0.05


def test_unknown_countries_are_new(during: Select, quiet: Records) -> None:
    now, _ = during("unknown_countries")
    known = {r["country"] for r in quiet}
    strangers = Counter(r["country"] for r in now if r["country"] not in known)
    assert set(strangers) == {"TD", "VU", "BT", "GY", "-"}
    assert strangers.total() / len(now) == pytest.approx(1 / 3, abs=0.1)
    assert strangers["TD"] == max(strangers.values())


def test_delete_methods_replace_others(during: Select) -> None:
    now, usual = during("delete_methods")
    assert share(now, method="DELETE", action="ALLOW") > 0.3
    assert share(usual, method="DELETE") < 0.15
    assert len(now) == pytest.approx(len(usual), rel=0.3)


def test_xss_burst_is_150_from_one_client_in_5_minutes(
    during: Select, labels: dict[str, AttackLabel]
) -> None:
    now, usual = during("xss_burst")
    rule = "CrossSiteScripting_QUERYARGUMENTS"
    clients = Counter(r["client"] for r in blocks(now, rule) if "<script>" in r["target"])
    assert clients.most_common(1)[0][1] == 150
    assert len(blocks(usual, rule)) < 5
    window = labels["xss_burst"].window
    assert window.end - window.start == timedelta(minutes=5)


def test_credential_stuffing_posts_to_the_login(during: Select) -> None:
    now, usual = during("credential_stuffing")
    tries = [r for r in now if r["method"] == "POST" and r["target"] == "/login?"]
    caught = len(blocks(now, "VolumetricIpHigh")) + len(
        blocks(now, "AttributeCompromisedCredentials")
    )
    assert len(now) > 1.5 * len(usual)
    assert caught / len(tries) > 0.6
    assert len({r["client"] for r in blocks(now, "VolumetricIpHigh")}) > 20


def test_l7_flood_is_limited_after_a_ramp(during: Select, labels: dict[str, AttackLabel]) -> None:
    now, usual = during("l7_flood")
    window = labels["l7_flood"].window
    assert 15 <= (window.end - window.start).total_seconds() / 60 <= 20
    assert len(now) >= 10 * len(usual)
    first = [r for r in now if r["time"] < window.start + timedelta(minutes=5)]
    later = [r for r in now if r["time"] >= window.start + timedelta(minutes=5)]
    assert 0.1 < share(first, type="RATE_BASED", action="BLOCK") < 0.5
    assert 0.7 < share(later, type="RATE_BASED", action="BLOCK") < 0.95


def test_slow_scanner_is_one_client_with_few_blocks_for_hours(
    during: Select, labels: dict[str, AttackLabel]
) -> None:
    now, _ = during("slow_scanner")
    window = labels["slow_scanner"].window
    client, _ = Counter(r["client"] for r in now if r["action"] == "BLOCK").most_common(1)[0]
    probes = [r for r in now if r["client"] == client and r["action"] == "BLOCK"]
    assert timedelta(hours=2) <= window.end - window.start <= timedelta(hours=3)
    for slot in window.split(timedelta(minutes=5)):
        assert 6 <= sum(r["time"] in slot for r in probes) <= 13  # 1 of the noise floor at most
    assert len({r["rule"] for r in probes}) >= 3


def test_unexpected_posts_are_allowed(during: Select) -> None:
    now, usual = during("unexpected_posts")
    assert share(now, method="POST", action="ALLOW") > 3 * share(usual, method="POST")


def test_rule_misfire_blocks_good_clients(during: Select, quiet: Records) -> None:
    now, usual = during("rule_misfire")
    hits = blocks(now, "SizeRestrictions_BODY")
    good = {r["client"] for r in quiet if r["action"] == "ALLOW"}
    assert len(hits) / len(now) == pytest.approx(0.19, abs=0.06)
    assert len(blocks(usual, "SizeRestrictions_BODY")) < 8
    assert sum(r["client"] in good for r in hits) > len(hits) / 2


def test_outage_leaves_almost_nothing_for_whole_hours(
    during: Select, labels: dict[str, AttackLabel]
) -> None:
    now, usual = during("outage")
    window = labels["outage"].window
    assert window == window.aligned(timedelta(hours=1))
    assert window.end - window.start >= timedelta(hours=2)
    assert len(usual) > 100
    assert len(now) <= 0.05 * len(usual)


@settings(max_examples=40)
@given(seed=st.integers(0, 2**40))
def test_attacks_on_one_webacl_keep_an_hour_apart(seed: int) -> None:
    two_days = Window.parse("2026-11-15", "2026-11-17")
    plan = SimulationPlan(two_days, 1000, seed, attack_window=two_days, attacks=tuple(ATTACKS))
    labels = write_labels(UPath(f"memory://labels/{seed}"), plan)
    assert len(labels) == 24
    for label in labels:
        assert two_days.intersection(label.window) == label.window
        assert label.window == label.window.aligned(timedelta(minutes=5))
        for other in labels:
            if other is not label and other.webacl == label.webacl:
                gap = max(
                    other.window.start - label.window.end, label.window.start - other.window.end
                )
                assert gap >= timedelta(hours=1)
