"""Columns and rule hits against a plain reading of the same JSON in Python."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from waf_logs import SAMPLES, START_MS, instant, line, lines, record, sample_records

from bartizan.engines.duckdb import connect
from bartizan.lake.schemas import REQUESTS
from bartizan.land.chunk import ObjectText, read_chunk
from bartizan.land.columns import Columns
from bartizan.land.rule_hits import rule_hits
from bartizan.land.shape import RECORD

PATH = "s3://logs/AWSLogs/222233334444/WAFLogs/eu-west-1/old/2026/11/04/00/00/a.log.gz"


def landed(*records: Any, uri: str = PATH) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Rows of requests and rule_hits, as Python values."""
    found = read_chunk([ObjectText(uri, lines(records))], Columns(), "batch")
    assert not found.quarantined
    with connect() as connection:
        assert all(table.schema == REQUESTS for table in found.parts)
        requests = [row for table in found.parts for row in table.to_pylist()]
        hits = [row for table in found.parts for row in rule_hits(connection, table).to_pylist()]
    return requests, hits


def snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])[A-Z]+", lambda upper: "_" + upper[0].lower(), name).lower()


def plain(value: Any) -> Any:
    """A member in the documented shape, under the names of the columns; absent members None."""

    def walk(shape: Any, value: Any) -> Any:
        if value is None:
            return None
        if isinstance(shape, dict):
            return {snake(key): walk(inner, value.get(key)) for key, inner in shape.items()}
        return [walk(shape[0], item) for item in value] if isinstance(shape, list) else value

    return {key: walk(shape, value.get(key)) for key, shape in RECORD.items()}


def plain_hits(entry: dict[str, Any]) -> Counter[tuple[Any, ...]]:
    """rule_hits of a record, read from its five places one after the other."""
    hits: list[tuple[Any, ...]] = []
    groups = entry.get("ruleGroupList") or []
    kind, name = entry.get("terminatingRuleType"), entry["terminatingRuleId"]
    decider = None
    if name != "Default_Action" and kind in (None, "GROUP", "MANAGED_RULE_GROUP"):
        for nth, group in enumerate(groups):
            rule = group.get("terminatingRule")
            if rule and rule["action"].upper() == entry["action"]:
                decider = nth
    if name != "Default_Action" and decider is None:
        hits.append((None, name, entry["action"], None, True))
    for rule in entry.get("nonTerminatingMatchingRules") or []:
        hits.append((None, rule["ruleId"], rule["action"], rule.get("overriddenAction"), False))
    for nth, group in enumerate(groups):
        where = group["ruleGroupId"]
        if rule := group.get("terminatingRule"):
            overridden = rule.get("overriddenAction")
            hits.append((where, rule["ruleId"], rule["action"], overridden, nth == decider))
        for rule in group.get("nonTerminatingMatchingRules") or []:
            hits.append(
                (where, rule["ruleId"], rule["action"], rule.get("overriddenAction"), False)
            )
        for rule in group.get("excludedRules") or []:
            hits.append((where, rule["ruleId"], "EXCLUDED_AS_COUNT", None, False))
    return Counter(hits)


HIT = ("rule_group", "rule", "rule_action", "overridden_action", "terminating")


def check_records(records: list[dict[str, Any]]) -> None:
    rows, hits = landed(*records)
    assert len(rows) == len(records)
    by_offset = {row["source_offset"]: row for row in rows}
    hits_of: dict[int, Counter[tuple[Any, ...]]] = defaultdict(Counter)
    for hit in hits:
        hits_of[hit["record_hash"]][tuple(hit[name] for name in HIT)] += 1
    copies = Counter(row["record_hash"] for row in rows)
    offset = 0
    for entry in records:
        row = by_offset[offset]
        offset += len(line(entry)) + 1
        check_row(row, entry)
        expected = plain_hits(entry)
        times = copies[row["record_hash"]]
        assert hits_of[row["record_hash"]] == {hit: n * times for hit, n in expected.items()}


def check_row(row: dict[str, Any], entry: dict[str, Any]) -> None:
    want = plain(entry)
    assert row["event_ms"] == instant(entry)
    assert row["event_time"].replace(tzinfo=UTC).timestamp() * 1000 == pytest.approx(instant(entry))
    assert (row["event_date"], row["event_hour"]) == (
        row["event_time"].date(),
        row["event_time"].hour,
    )
    request = entry["httpRequest"]
    for member, column in (
        ("clientIp", "client_ip"),
        ("uri", "uri"),
        ("args", "args"),
        ("httpMethod", "method"),
        ("httpVersion", "http_version"),
        ("fragment", "fragment"),
        ("scheme", "scheme"),
    ):
        assert row[column] == request.get(member)
    for member, column in (
        ("terminatingRuleId", "terminating_rule_id"),
        ("terminatingRuleMatchDetails", "terminating_rule_match_details"),
        ("ruleGroupList", "rule_groups"),
        ("nonTerminatingMatchingRules", "non_terminating_matching_rules"),
        ("captchaResponse", "captcha_response"),
        ("challengeResponse", "challenge_response"),
        ("responseCodeSent", "response_code_sent"),
        ("oversizeFields", "oversize_fields"),
        ("requestBodySize", "request_body_size"),
        ("clientAsn", "client_asn"),
        ("ja4Fingerprint", "ja4_fingerprint"),
    ):
        assert row[column] == want[member], column
    assert row["labels"] == (
        [label["name"] for label in entry["labels"]] if "labels" in entry else None
    )


def test_own_records():
    check_records(
        [
            record(1),
            record(2, terminatingRuleType="REGULAR", terminatingRuleId="block-all"),
            record(3, action="ALLOW", terminatingRuleId="Default_Action"),
            record(4, ruleGroupList=[], captchaResponse={"responseCode": 405}),
        ]
    )


ACTIONS = st.sampled_from(["BLOCK", "COUNT", "ALLOW", "Block"])
GROUP = st.builds(
    lambda name, action: {
        "ruleGroupId": name,
        "terminatingRule": action and {"ruleId": f"{name}-rule", "action": action},
        "nonTerminatingMatchingRules": [{"ruleId": "counted", "action": "COUNT"}],
    },
    st.sampled_from("abc"),
    ACTIONS | st.none(),
)
ENDED = st.fixed_dictionaries(
    {
        "action": st.sampled_from(["BLOCK", "ALLOW"]),
        "terminatingRuleId": st.sampled_from(["Default_Action", "own"]),
        "terminatingRuleType": st.sampled_from(
            ["REGULAR", "RATE_BASED", "GROUP", "MANAGED_RULE_GROUP", None]
        ),
        "ruleGroupList": st.lists(GROUP, max_size=4),
    }
)


@settings(max_examples=15)
@given(st.lists(ENDED, min_size=1, max_size=20))
def test_one_hit_terminates_a_request_that_a_rule_ended(changes):
    records = [record(number, **change) for number, change in enumerate(changes)]
    check_records(records)
    _, hits = landed(*records)
    terminating = Counter(hit["event_ms"] for hit in hits if hit["terminating"])
    ended = [one for one in records if one["terminatingRuleId"] != "Default_Action"]
    assert terminating == {one["timestamp"]: 1 for one in ended}


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="sample records are not at hand")
def test_sample_records():
    records = list(sample_records())
    assert len(records) == 349
    check_records(records)


def test_where_a_request_belongs():
    regional = "arn:aws:wafv2:eu-west-1:111122223333:regional/webacl/app/0a1b"
    rows, _ = landed(
        record(1), record(2, webaclId=regional), record(3, webaclId="385cb038-3a6f-4f2f")
    )
    found = {
        row["event_ms"] - START_MS: (row["account_id"], row["region"], row["webacl"])
        for row in rows
    }
    assert found == {
        1000: ("111122223333", "cloudfront", "shop_site"),
        2000: ("111122223333", "eu-west-1", "app"),
        3000: ("222233334444", "eu-west-1", "385cb038-3a6f-4f2f"),  # Classic: from the path
    }


def test_headers_hosts_and_secrets():
    headers = [
        {"name": "HOST", "value": "Shop.Example.com"},
        {"name": "user-agent", "value": "one"},
        {"name": "User-Agent", "value": "two"},
        {"name": "Authorization", "value": "Bearer s3cret"},
        {"name": "cookie", "value": "a=s3cret"},
    ]
    request = record(1)["httpRequest"] | {"headers": headers, "country": "-"}
    rows, _ = landed(
        record(1, httpRequest=request),
        record(2, httpRequest=request | {"host": "Other.example.com"}, httpSourceName="-"),
        record(3, httpRequest=request | {"headers": None, "host": ""}),
    )
    assert [row["host"] for row in rows] == ["shop.example.com", "other.example.com", None]
    assert [row["user_agent"] for row in rows] == ["one", "one", None]
    assert [row["country"] for row in rows] == [None] * 3
    assert [row["source_name"] for row in rows] == ["CF", None, "CF"]
    assert "s3cret" not in json.dumps(rows, default=str)
    assert [header["value"] for header in rows[0]["headers"]][3:] == ["REDACTED"] * 2
    assert rows[2]["headers"] is None


def test_what_is_not_documented_moves_to_extra():
    odd = record(
        1,
        newField={"a": [1, None]},
        clientAsn="not a number",
        responseCodeSent="403",
        ClientASN=64496,
        timestamp="2026-11-04T00:00:01.000Z",
        httpRequest=record(1)["httpRequest"] | {"body": "x", "requestID": "other", "uri": {"p": 1}},
        labels={"awswaf:one": None, "awswaf:two": {}},
        rateBasedRuleList={"limit": {"limitKey": "IP", "maxRateAllowed": "100"}},
        ruleGroupList=[{"ruleGroupId": "g", "customerConfig": {"k": 1}, "surprise": True}],
        nonTerminatingMatchingRules="none",
    )
    [row], _ = landed(odd)
    assert row["event_ms"] == record(1)["timestamp"]
    assert row["response_code_sent"] == 403
    assert row["uri"] is None
    assert row["request_id"] == "request-1"
    assert row["labels"] == ["awswaf:one", "awswaf:two"]
    assert row["rate_based_rules"][0]["rate_based_rule_name"] == "limit"
    assert row["rate_based_rules"][0]["max_rate_allowed"] == 100
    assert json.loads(row["rule_groups"][0]["customer_config"]) == {"k": 1}
    assert row["action"] == "BLOCK"
    extra = {path: json.loads(text) for path, text in row["extra"]}
    assert extra == {
        "newField": {"a": [1, None]},
        "clientAsn": "not a number",
        "ClientASN": 64496,
        "httpRequest.body": "x",
        "httpRequest.requestID": "other",
        "httpRequest.uri": {"p": 1},
        "ruleGroupList[0].surprise": True,
        "nonTerminatingMatchingRules": "none",
    }


def test_names_in_lower_case_and_unusual_text_land_whole():
    def lower(value: Any) -> Any:
        if isinstance(value, dict):
            return {key.lower(): lower(inner) for key, inner in value.items()}
        return [lower(item) for item in value] if isinstance(value, list) else value

    columns = [name for name in REQUESTS.names if name != "record_hash"]
    [documented], _ = landed(record(1))
    [lowered], _ = landed(lower(record(1)))
    assert [lowered[name] for name in columns] == [documented[name] for name in columns]

    text = line(record(2)).replace(b"/item/2", b"/\\ud800\\u0000\\u001b<script>\xc3\xa9")
    found = read_chunk([ObjectText(PATH, text)], Columns(), "batch")
    [row] = found.parts[0].to_pylist()
    assert row["uri"] == "/\\ud800\x00\x1b<script>é"


def test_the_hash_is_of_the_content_not_of_the_framing():
    entry = record(1)
    texts = (line(entry), json.dumps(entry, indent=1).encode(), b"[" + line(entry) + b"]")
    found = read_chunk(
        [ObjectText(str(index), text) for index, text in enumerate(texts)], Columns(), "batch"
    )
    other = read_chunk([ObjectText("other", line(record(1, action="ALLOW")))], Columns(), "batch")
    hashes = [
        one for part in [*found.parts, *other.parts] for one in part["record_hash"].to_pylist()
    ]
    assert len(hashes) == 4
    assert len(set(hashes[:3])) == 1
    assert hashes[3] not in hashes[:3]


def test_times_of_any_zone_are_utc():
    [row], _ = landed(record(1, timestamp="2026-11-04T01:30:00+01:00"))
    assert row["event_time"] == datetime(2026, 11, 4, 0, 30)
