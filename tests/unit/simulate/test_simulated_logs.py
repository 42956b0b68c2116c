"""The written objects: layout, record format, determinism, re-runs, refusals."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from upath import UPath

from bartizan.errors import UsageError
from bartizan.model.window import Window
from bartizan.simulate import SimulationPlan, read_labels, simulate, simulate_day, write_labels

DAY = date(2026, 11, 14)
PLAN = SimulationPlan(Window.parse("2026-11-14", "2026-11-16"), records_per_day=1500, seed=7)

KEY = re.compile(
    r"AWSLogs/(?P<account>\d{12})/WAFLogs/(?P<region>[a-z0-9-]+)/(?P<acl>[\w-]+)/"
    r"(?P<folder>\d{4}/\d\d/\d\d/\d\d/\d\d)/"
    r"(?P=account)_waflogs_(?P=region)_(?P=acl)_(?P<stamp>\d{8}T\d{4}Z)_[0-9a-f]{8}\.log\.gz"
)
REQUIRED = {
    "timestamp": int,
    "formatVersion": int,
    "webaclId": str,
    "terminatingRuleId": str,
    "terminatingRuleType": str,
    "action": str,
    "terminatingRuleMatchDetails": list,
    "httpSourceName": str,
    "httpSourceId": str,
    "ruleGroupList": list,
    "rateBasedRuleList": list,
    "nonTerminatingMatchingRules": list,
    "requestHeadersInserted": type(None),
    "responseCodeSent": (int, type(None)),
    "httpRequest": dict,
}
OPTIONAL = {
    "labels": list,
    "captchaResponse": dict,
    "challengeResponse": dict,
    "ja3Fingerprint": str,
    "ja4Fingerprint": str,
    "oversizeFields": list,
    "requestBodySize": int,
    "requestBodySizeInspectedByWAF": int,
}
REQUEST = {"clientIp", "country", "headers", "uri", "args", "httpVersion", "httpMethod"} | {
    "requestId",
    "fragment",
    "scheme",
    "host",
}


def objects(target: Path) -> list[Path]:
    return sorted((target / "AWSLogs").rglob("*.gz"))


def records_of(path: Path) -> Iterator[dict]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def digests(target: Path) -> dict[str, str]:
    return {
        path.relative_to(target).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in target.rglob("*")
        if path.is_file()
    }


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("one")
    simulate_day(UPath(target), PLAN, DAY)
    return target


def test_objects_lie_where_aws_puts_them(written: Path) -> None:
    for path in objects(written):
        found = KEY.fullmatch(path.relative_to(written).as_posix())
        assert found, path
        start = datetime.strptime(found["folder"], "%Y/%m/%d/%H/%M").replace(tzinfo=UTC)
        assert found["stamp"] == f"{start:%Y%m%dT%H%MZ}"
        for record in records_of(path):
            _, _, _, region, account, scope = record["webaclId"].split(":")
            assert (account, scope.split("/")[2]) == (found["account"], found["acl"])
            assert found["region"] == ("cloudfront" if scope.startswith("global/") else region)
            time = datetime.fromtimestamp(record["timestamp"] / 1000, UTC)
            assert start - timedelta(minutes=5) <= time < start + timedelta(minutes=5)


def test_the_result_counts_what_was_written(written: Path) -> None:
    result = simulate_day(UPath(written), PLAN, DAY)
    files = objects(written)
    assert result.objects == len(files)
    assert result.records == sum(1 for path in files for _ in records_of(path))
    assert result.size == sum(path.stat().st_size for path in files)
    assert 1000 < result.records < 2000


def test_records_have_the_keys_and_types_of_aws(written: Path) -> None:
    seen = set()
    for path in objects(written):
        for record in records_of(path):
            assert set(REQUIRED) <= set(record) <= set(REQUIRED) | set(OPTIONAL)
            for key, value in record.items():
                assert isinstance(value, (REQUIRED | OPTIONAL)[key]), key
            request = record["httpRequest"]
            assert set(request) == REQUEST
            assert all(set(header) == {"name", "value"} for header in request["headers"])
            assert len(record.get("ja3Fingerprint", "0" * 32)) == 32
            assert len(record.get("ja4Fingerprint", "0" * 36)) == 36
            assert record.get("labels") != []  # absent when empty
            assert record["action"] in {"ALLOW", "BLOCK", "CAPTCHA", "CHALLENGE"}
            inner = [g["terminatingRule"] for g in record["ruleGroupList"] if g["terminatingRule"]]
            assert len(inner) == (record["terminatingRuleType"] == "MANAGED_RULE_GROUP")
            seen |= record.keys() | {record["httpSourceName"], record["action"]}
    assert set(OPTIONAL) - {"captchaResponse"} <= seen
    assert {"CF", "ALB", "APIGW", "APPSYNC", "CHALLENGE"} <= seen


def test_key_order_is_that_of_real_records(written: Path) -> None:
    shared = Path(os.environ.get("BARTIZAN_SHARED", Path(__file__).parents[4] / "shared"))
    sample = shared / "data/waf-samples/records/real_cloudfront_2023_opensearch_catalog.jsonl"
    if not sample.exists():
        pytest.skip("no published samples here")
    real = json.loads(sample.read_text(encoding="utf-8").splitlines()[0])
    simulated = next(records_of(objects(written)[0]))
    assert [key for key in simulated if key in real] == list(real)
    assert [key for key in simulated["httpRequest"] if key in real["httpRequest"]] == list(
        real["httpRequest"]
    )
    assert list(simulated["ruleGroupList"][0]) == list(real["ruleGroupList"][0])


def test_the_same_plan_gives_the_same_bytes_in_any_process(written: Path, tmp_path: Path) -> None:
    steps: list[tuple[int, int]] = []
    result = simulate(UPath(tmp_path), PLAN, lambda *step: steps.append(step), workers=2)
    assert steps == [(1, 2), (2, 2)]
    assert [day.day for day in result.days] == ["2026-11-14", "2026-11-15"]
    assert result.records == sum(1 for path in objects(tmp_path) for _ in records_of(path))
    assert digests(written).items() <= digests(tmp_path).items()


def test_another_seed_gives_other_records(written: Path, tmp_path: Path) -> None:
    simulate_day(UPath(tmp_path), SimulationPlan(PLAN.window, 1500, seed=8), DAY)
    assert not set(digests(written).values()) & {
        value for key, value in digests(tmp_path).items() if key.endswith(".gz")
    }


def test_a_broken_off_day_is_completed_to_the_same_bytes(tmp_path: Path) -> None:
    simulate_day(UPath(tmp_path), PLAN, DAY)
    before = digests(tmp_path)
    (tmp_path / f"_simulation/{DAY}.json").unlink()
    objects(tmp_path)[3].write_bytes(b"half an obj")
    simulate_day(UPath(tmp_path), PLAN, DAY)
    assert digests(tmp_path) == before


def test_a_complete_day_is_left_alone(tmp_path: Path) -> None:
    first = simulate_day(UPath(tmp_path), PLAN, DAY)
    objects(tmp_path)[0].unlink()
    before = digests(tmp_path)
    assert simulate_day(UPath(tmp_path), PLAN, DAY) == first
    assert digests(tmp_path) == before


def test_an_object_store_holds_the_same_objects(written: Path) -> None:
    bucket = UPath("memory://aws-waf-logs-simulated")
    simulate_day(bucket, PLAN, DAY)
    stored = {path.name: path.read_bytes() for path in bucket.rglob("*.gz")}
    assert stored == {path.name: path.read_bytes() for path in objects(written)}


@pytest.mark.parametrize("action", [write_labels, lambda t, p: simulate_day(t, p, DAY), simulate])
def test_another_plan_is_refused_in_the_same_target(written: Path, action) -> None:
    before = digests(written)
    other = SimulationPlan(PLAN.window, records_per_day=1600, seed=7)
    with pytest.raises(UsageError, match="records_per_day is 1500 there and 1600 here"):
        action(UPath(written), other)
    assert digests(written) == before


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"window": Window.parse("2026-11-01T01:00", "2026-11-02")}, "whole UTC days"),
        ({"attack_window": Window.parse("2026-11-15", "2026-11-17")}, "not inside"),
        ({"attacks": ("teapot",)}, "unknown"),
        ({"records_per_day": 0}, "out of range"),
    ],
)
def test_impossible_plans_are_refused(arguments: dict, problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        SimulationPlan(**{"window": PLAN.window, **arguments})


def test_a_day_outside_the_plan_and_missing_labels_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="2026-11-16"):
        simulate_day(UPath(tmp_path), PLAN, date(2026, 11, 16))
    with pytest.raises(UsageError, match="does not exist"):
        read_labels(UPath(tmp_path))
