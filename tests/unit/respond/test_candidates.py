"""Who is suspected of what, with evidence counted again in plain Python."""

from __future__ import annotations

import random
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from lakes import SmallLake, landed
from suspects import STRONG

from bartizan.config import PROJECT
from bartizan.errors import ConfigError
from bartizan.model.window import Window
from bartizan.respond.candidates import find, score, verified_bots

QUERIES = PROJECT / "include" / "sql" / "intel"
START = datetime(2026, 11, 19, tzinfo=UTC)
DAY = Window(START, START + timedelta(days=1))

ATTACKERS = ["5.6.7.8", "5.6.7.9", "2a00:1450::7"]
STOPPED = ("BLOCK", "CAPTCHA", "CHALLENGE")


def attack(client: str, count: int, draw: random.Random) -> list[dict[str, Any]]:
    """Requests over the day, most of them blocked by one of three rules on one of fifty paths."""
    return [
        {
            "event_time": START + timedelta(seconds=draw.randrange(86_400)),
            "client_ip": client,
            "action": draw.choice(["BLOCK"] * 8 + ["CHALLENGE", "ALLOW"]),
            "terminating_rule_id": draw.choice(["sqli", "xss", "rate-login"]),
            "uri": f"/path/{draw.randrange(50)}",
            "webacl": draw.choice(["shop", "blog"]),
        }
        for _ in range(count)
    ]


def hits(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            "event_time": row["event_time"],
            "client_ip": row["client_ip"],
            "webacl": row["webacl"],
            "rule": row["terminating_rule_id"],
            "rule_action": row["action"],
            "request_action": row["action"],
            "terminating": True,
        }
        for row in rows
    ]


def lake(folder: Path, rows: list[dict[str, Any]]) -> SmallLake:
    small = SmallLake.open(folder)
    small.land("a", requests=landed("requests", rows), rule_hits=landed("rule_hits", hits(rows)))
    return small


def test_evidence_is_what_counting_by_hand_gives(tmp_path: Path) -> None:
    draw = random.Random(1)
    attacks = {client: attack(client, 300, draw) for client in ATTACKERS}
    visitors = [
        {
            "event_time": START + timedelta(seconds=draw.randrange(86_400)),
            "client_ip": f"8.8.{number}.1",
            "action": "ALLOW",
            "terminating_rule_id": "Default_Action",
            "uri": "/",
            "webacl": "shop",
        }
        for number in range(200)
    ]
    ours = [{**row, "terminating_rule_id": "bartizan-v4"} for row in attack("5.6.7.8", 90, draw)]
    late = [{**row, "event_time": DAY.end} for row in attack("5.6.7.8", 20, draw)]
    rows = [row for one in attacks.values() for row in one] + visitors + ours + late
    found = find(lake(tmp_path, rows).engine, DAY, QUERIES)

    assert {str(one.network.network_address) for one in found.candidates} == set(ATTACKERS)
    assert found.unreadable == ()
    for one in found.candidates:
        did = attacks[str(one.network.network_address)]
        stopped = [row for row in did if row["action"] in STOPPED]
        assert one.network.prefixlen == one.network.max_prefixlen
        assert one.evidence.requests == len(did)
        assert one.evidence.blocked == len(stopped)
        assert one.evidence.uris == len({row["uri"] for row in stopped})
        assert one.evidence.hours == len({row["event_time"].hour for row in stopped})
        assert one.evidence.rules == tuple(sorted({r["terminating_rule_id"] for r in stopped}))
        assert one.evidence.webacls == ("blog", "shop")
        assert one.evidence.first_seen == min(row["event_time"] for row in did)
        assert one.evidence.last_seen == max(row["event_time"] for row in did)
        assert one.evidence.reasons == ("distinct_blocked", "repeat_offender", "scanner")


def one_of_each() -> dict[str, list[dict[str, Any]]]:
    """Rows that give exactly one reason each, by reason; one fewer gives none."""

    def rows(client: str, count: int, **columns: Any) -> list[dict[str, Any]]:
        base = {"client_ip": client, "webacl": "shop", "terminating_rule_id": "one", "uri": "/"}
        base["action"] = "ALLOW"
        times = (START + timedelta(hours=20, seconds=n / 1000) for n in range(count))
        return [{"event_time": time, **base, **columns} for time in times]

    invalid = {"response_code": 405, "failure_reason": "TOKEN_INVALID"}
    return {
        "rate_limited": rows("5.0.0.1", 50, action="BLOCK", terminating_rule_type="RATE_BASED"),
        "credential_stuffing": rows("5.0.0.2", 100, method="POST", uri="/Account/LogIn"),
        "token_abuse": rows("5.0.0.3", 20, action="CAPTCHA", captcha_response=invalid),
        "new_fingerprint": rows("5.0.0.4", 1000, ja4_fingerprint="t13d_new"),
        "new_network": rows("5.0.0.5", 1000, client_asn=64500),
        "scanner": [
            {**row, "uri": f"/{n}"} for n, row in enumerate(rows("5.0.0.6", 20, action="BLOCK"))
        ],
        "distinct_blocked": [
            {**row, "event_time": START + timedelta(minutes=n)}
            for n, row in enumerate(rows("5.0.0.7", 3, action="BLOCK"))
        ],
    }


def test_each_reason_is_found_at_its_threshold_and_not_below(tmp_path: Path) -> None:
    cases = one_of_each()
    enough = lake(tmp_path / "enough", [row for rows in cases.values() for row in rows])
    fewer = lake(tmp_path / "fewer", [row for rows in cases.values() for row in rows[1:]])

    found = find(enough.engine, DAY, QUERIES)

    assert {one.evidence.reasons for one in found.candidates} == {(name,) for name in cases}
    assert len(found.candidates) == len(cases)
    assert find(fewer.engine, DAY, QUERIES).candidates == ()


def test_mapped_addresses_are_ipv4_and_hostile_ones_are_told_not_dropped(tmp_path: Path) -> None:
    draw = random.Random(2)
    hostile = ["<script>\x1b[2J", "5.6.7.8/8", "5.0.0.0/8", "fe80::1%eth0", "x" * 5000]
    clients = ["::ffff:5.6.7.8", *hostile]
    small = lake(tmp_path, [row for client in clients for row in attack(client, 60, draw)])

    found = find(small.engine, DAY, QUERIES)

    assert [one.network for one in found.candidates] == [ip_network("5.6.7.8/32")]
    assert len(found.unreadable) == len(clients) - 1
    assert all(text.isprintable() and len(text) < 80 for text in found.unreadable)


def test_an_address_written_in_two_ways_is_judged_by_all_it_did(tmp_path: Path) -> None:
    """Else the form that only attacks would hide the real users of the other."""
    attacks = attack("::ffff:5.6.7.8", 200, random.Random(3))
    users = [{**row, "action": "ALLOW"} for row in attack("5.6.7.8", 300, random.Random(4))]
    seen = [{**row, "action": "BLOCK"} for row in attack("5.6.7.8", 100, random.Random(5))]
    rows = [*attacks, *users, *seen]

    (one,) = find(lake(tmp_path, rows).engine, DAY, QUERIES).candidates

    stopped = [row for row in rows if row["action"] in STOPPED]
    assert one.network == ip_network("5.6.7.8/32")
    assert (one.evidence.requests, one.evidence.blocked) == (600, len(stopped))
    assert one.evidence.first_seen == min(row["event_time"] for row in rows)
    assert one.evidence.last_seen == max(row["event_time"] for row in rows)
    assert one.evidence.uris <= len({row["uri"] for row in stopped})
    assert one.score == score(one.evidence)


def test_only_bots_that_aws_waf_verified_are_a_layer(tmp_path: Path) -> None:
    bot = "awswaf:managed:aws:bot-control:bot:"
    labels = {
        "66.249.66.1": [bot + "category:search_engine", bot + "verified"],
        "66.249.66.2": [bot + "category:search_engine", bot + "unverified"],
        "66.249.66.3": None,
    }
    rows = [
        {"event_time": START, "client_ip": client, "labels": found, "webacl": "shop"}
        for client, found in labels.items()
    ]
    small = SmallLake.open(tmp_path)
    small.land("a", requests=landed("requests", rows))

    layer = verified_bots(small.engine, DAY, QUERIES)

    assert layer.networks == (ip_network("66.249.66.1/32"),)


def test_score_grows_with_every_part_of_the_evidence_and_shrinks_with_shared_use() -> None:
    less = {
        "blocked": 2500,
        "hours": 5,
        "uris": 3,
        "reasons": ("scanner",),
    }
    full = score(STRONG)

    assert 0 < full <= 100
    for name, value in less.items():
        assert score(replace(STRONG, **{name: value})) < full, name  # type: ignore[arg-type]
    shared = replace(STRONG, requests=10 * STRONG.requests)
    assert score(shared) == pytest.approx(full / 10, abs=0.01)
    assert score(replace(STRONG, requests=0, blocked=0)) == 0


def test_no_queries_is_an_error_not_an_empty_answer(tmp_path: Path) -> None:
    small = SmallLake.open(tmp_path / "lake")
    shutil.copytree(QUERIES / "evidence_clients", tmp_path / "intel" / "evidence_clients")

    with pytest.raises(ConfigError, match="holds no query"):
        find(small.engine, DAY, tmp_path / "intel")
    assert find(small.engine, DAY, QUERIES).candidates == ()
