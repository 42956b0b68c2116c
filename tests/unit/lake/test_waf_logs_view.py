"""`waf_logs`: the queries that AWS documents for its Athena table, over landed samples."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest
from landing_house import House
from waf_logs import lines, record, write_object

from bartizan.engines import DuckDBEngine
from bartizan.model.window import Window

WINDOW = Window(datetime(2026, 11, 4, tzinfo=UTC), datetime(2026, 11, 5, tzinfo=UTC))


def records() -> list[dict[str, Any]]:
    """40 requests with what the queries look for, in both of the guide's ways of counting rules."""
    made = []
    for number in range(40):
        one = record(number * 60)
        one["httpRequest"]["headers"] += [
            {"name": "Referer", "value": f"https://{'amazon' if number % 3 else 'other'}.example/"}
        ]
        one["action"] = "ALLOW" if number % 4 else "BLOCK"
        one["terminatingRuleId"] = "Default_Action" if number % 4 else "rate-by-ip"
        one["terminatingRuleType"] = "REGULAR" if number % 4 else "RATE_BASED"
        one["httpRequest"]["clientIp"] = f"198.51.100.{number % 5}"
        group = one["ruleGroupList"][0]
        group["terminatingRule"] = None
        if number % 5 == 0:
            group["excludedRules"] = [
                {"exclusionType": "EXCLUDED_AS_COUNT", "ruleId": "NoUserAgent"}
            ]
        if number % 7 == 0:
            group["nonTerminatingMatchingRules"] = [
                {"ruleId": "SizeRestrictions", "action": "COUNT"}
            ]
        made.append(one)
    return made


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> DuckDBEngine:
    house = House(tmp_path_factory.mktemp("house"))
    write_object(house.source, "samples", lines(records()), WINDOW.start)
    assert house.land().counts.requests == 40
    return DuckDBEngine(house.lake)


def rows(engine: DuckDBEngine, query: str) -> list[dict[str, Any]]:
    """Rows by column names in lower case: engines differ in the case they show."""
    found = engine.query(query, WINDOW).to_pylist()
    return [{name.lower(): value for name, value in row.items()} for row in found]


def test_count_referrers_with_a_term(engine: DuckDBEngine) -> None:
    query = """
        WITH test_dataset AS
          (SELECT header FROM waf_logs
            CROSS JOIN UNNEST(httprequest.headers) AS t(header) WHERE "date" >= '2026/11/04'
            AND "date" < '2026/11/05')
        SELECT COUNT(*) referer_count FROM test_dataset
        WHERE LOWER(header.name)='referer' AND header.value LIKE '%amazon%'
    """
    expected = sum("amazon" in r["httpRequest"]["headers"][-1]["value"] for r in records())
    assert rows(engine, query) == [{"referer_count": expected}]
    assert 0 < expected < 40


def test_addresses_that_matched_excluded_rules(engine: DuckDBEngine) -> None:
    query = """
        WITH test_dataset AS
          (SELECT * FROM waf_logs CROSS JOIN UNNEST(rulegrouplist) AS t(allrulegroups))
        SELECT COUNT(*) AS count, "httprequest"."clientip", "allrulegroups"."excludedrules",
          "allrulegroups"."ruleGroupId"
        FROM test_dataset
        WHERE allrulegroups.excludedrules IS NOT NULL
          AND from_unixtime(timestamp/1000) > timestamp '2026-11-04 00:10:00' - interval '10' day
        GROUP BY "httprequest"."clientip", "allrulegroups"."ruleGroupId",
          "allrulegroups"."excludedrules"
        ORDER BY count DESC
    """
    expected = Counter(
        (r["httpRequest"]["clientIp"], g["ruleGroupId"], json.dumps(g["excludedRules"]))
        for r in records()
        for g in r["ruleGroupList"]
        if g["excludedRules"] is not None
    )
    found = {
        (r["clientip"], r["rulegroupid"], json.dumps(json.loads(r["excludedrules"]))): r["count"]
        for r in rows(engine, query)
    }
    assert found == expected
    assert expected.total() == 8


def test_counted_managed_rules(engine: DuckDBEngine) -> None:
    query = """
        SELECT count(*) AS count, httpsourceid, httprequest.clientip, t.rulegroupid,
          t.nonTerminatingMatchingRules
        FROM "waf_logs" CROSS JOIN UNNEST(rulegrouplist) AS t(t)
        WHERE action <> 'BLOCK' AND cardinality(t.nonTerminatingMatchingRules) > 0
        GROUP BY t.nonTerminatingMatchingRules, action, httpsourceid, httprequest.clientip,
          t.rulegroupid
        ORDER BY "count" DESC Limit 50
    """
    expected = Counter(
        (r["httpRequest"]["clientIp"], n["ruleId"])
        for r in records()
        if r["action"] != "BLOCK"
        for g in r["ruleGroupList"]
        for n in g["nonTerminatingMatchingRules"]
    )
    assert expected == {
        (r["clientip"], r["nonterminatingmatchingrules"][0]["ruleid"]): r["count"]
        for r in rows(engine, query)
    }
    assert expected


def test_blocked_by_rate_and_last_hours(engine: DuckDBEngine) -> None:
    query = """
        SELECT COUNT(httpRequest.clientIp) as count, httpRequest.clientIp, to_iso8601(
          max(from_unixtime(timestamp/1000))) as last
        FROM waf_logs
        WHERE terminatingruletype='RATE_BASED' AND action='BLOCK'
        GROUP BY httpRequest.clientIp ORDER BY count DESC, 2 LIMIT 100
    """
    blocked = [r for r in records() if r["terminatingRuleType"] == "RATE_BASED"]
    expected = Counter(r["httpRequest"]["clientIp"] for r in blocked)
    last = {
        r["httpRequest"]["clientIp"]: datetime.fromtimestamp(r["timestamp"] / 1000, UTC)
        for r in blocked
    }
    found = [list(row.values()) for row in rows(engine, query)]
    assert {ip: n for n, ip, _ in found} == expected
    assert {ip: datetime.fromisoformat(at) for _, ip, at in found} == last


def test_the_view_ends_with_its_window(engine: DuckDBEngine) -> None:
    part = Window(WINDOW.start, datetime(2026, 11, 4, 0, 10, tzinfo=UTC))
    [row] = engine.query("select count(*) as n from waf_logs", part).to_pylist()
    assert row == {"n": 10}


PUBLISHED = """
timestamp formatversion webaclid terminatingruleid terminatingruletype action
terminatingrulematchdetails httpsourcename httpsourceid rulegrouplist ratebasedrulelist
nonterminatingmatchingrules requestheadersinserted responsecodesent httprequest labels
captcharesponse challengeresponse ja3fingerprint ja4fingerprint oversizefields requestbodysize
requestbodysizeinspectedbywaf log_time
"""


def test_every_column_of_the_published_table_is_there(engine: DuckDBEngine) -> None:
    found = engine.query("select * from waf_logs limit 1", WINDOW).column_names
    assert found[: len(PUBLISHED.split())] == PUBLISHED.split()
