from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from incidents import DAY_START, anomaly, incident
from lakes import SmallLake, landed

from bartizan.errors import ConfigError
from bartizan.explain import explain, samples
from bartizan.model.connector import Connector, Measure
from bartizan.store.incidents import load_incidents, replace_incidents

HOSTILE = "x' or 1=1 -- {{ drop }} from waf.nowhere \u202e 🦊"
CONNECTOR = Connector(
    name="waf_blocked_requests",
    description="Blocked requests by web ACL and rule",
    frequency=timedelta(minutes=5),
    offset=timedelta(),
    timestamp="interval_start",
    dimensions=("webacl", "rule"),
    measures=(Measure("blocked"),),
    query="",
)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> SmallLake:
    """40 requests of one client, 3 of another, and what must not be chosen."""
    small = SmallLake.open(tmp_path_factory.mktemp("samples"))
    lake_rows, hits = [], []

    def request(second: int, rule: str | None, **columns: object) -> None:
        row = {
            "event_time": DAY_START + timedelta(seconds=second),
            "webacl": "shop",
            "action": "BLOCK",
            "client_ip": "198.51.100.7",
            "uri": "/search",
            "record_hash": 1000 + len(lake_rows),
            **columns,
        }
        lake_rows.append(row)
        shared = ("event_time", "webacl", "client_ip", "uri", "record_hash")
        if rule is not None:
            hits.append({name: row[name] for name in shared} | {"rule": rule})

    secret = {"args": "q=1&session_token=hunter2&page=3", "user_agent": "a" * 500}
    for second in range(40):
        request(second, HOSTILE, **secret)
    for second in range(3):
        request(50 + second, HOSTILE, client_ip="203.0.113.9", uri="/;auth=abc?x", args=None)
    request(60, HOSTILE, client_ip="192.0.2.3", uri="/only-counted", action="COUNT")
    request(61, "other-rule", client_ip="192.0.2.4", uri="/other-rule")
    request(62, HOSTILE, client_ip="192.0.2.5", uri="/other-acl", webacl="blog")
    request(3600, HOSTILE, client_ip="192.0.2.6", uri="/later")
    by_default = {"client_ip": "192.0.2.9", "terminating_rule_id": "Default_Action"}
    request(70, None, uri="/blocked-by-default", **by_default)
    request(71, None, uri="/allowed-by-default", action="ALLOW", **by_default)
    small.land("one", requests=landed("requests", lake_rows), rule_hits=landed("rule_hits", hits))
    return small


def test_most_frequent_first_hostile_dimension_values_and_no_secrets(small: SmallLake) -> None:
    found = samples(
        small.engine, CONNECTOR, incident([anomaly(0, {"webacl": "shop", "rule": HOSTILE})])
    )
    assert [(s["client_ip"], s["uri"], s["requests_alike"]) for s in found] == [
        ("198.51.100.7", "/search", "40"),
        ("203.0.113.9", "/;auth=***", "3"),
    ]
    assert found[0]["event_time"] == "2026-11-16T00:00:00Z"
    assert found[0]["args"] == "q=1&session_token=***&page=3"
    assert found[0]["user_agent"] == "a" * 200
    assert found[0]["rule"] == HOSTILE
    assert found[1]["args"] == ""
    assert "headers" not in found[0]


def test_what_the_default_action_blocked_is_shown_though_it_has_no_hit(small: SmallLake) -> None:
    one = incident([anomaly(0, {"webacl": "shop", "rule": "Default_Action"})])
    found = samples(small.engine, CONNECTOR, one)
    assert [(s["uri"], s["rule"]) for s in found] == [("/blocked-by-default", "Default_Action")]


def test_metrics_of_something_else_have_no_samples_and_a_missing_table_is_an_error(
    small: SmallLake,
) -> None:
    one = incident([anomaly(0, {"webacl": "shop"})])
    assert len(samples(small.engine, CONNECTOR, one)) > 0
    for elsewhere in ({}, {"country": "DE", "platform": "web"}):
        assert samples(small.engine, CONNECTOR, incident([anomaly(0, elsewhere)])) == ()
    small.lake.catalog.rename_table("waf.requests", "waf.away")
    with pytest.raises(ConfigError, match=r"no table 'waf\.requests'"):
        samples(small.engine, CONNECTOR, one)
    small.lake.catalog.rename_table("waf.away", "waf.requests")


def test_explain_runs_once_and_keeps_the_change_number(small: SmallLake) -> None:
    one = replace(
        incident([anomaly(0, {"webacl": "shop", "rule": HOSTILE})]), contributions=(), samples=()
    )
    unknown = replace(one, id="of-a-removed-connector", detector="gone")
    store = small.store
    for item in (one, unknown):
        replace_incidents(store, item.detector, item.window, [item])
    assert sorted(
        explain(store, small.lake.root, small.engine, {CONNECTOR.name: CONNECTOR})
    ) == sorted([one.id, unknown.id])
    assert explain(store, small.lake.root, small.engine, {CONNECTOR.name: CONNECTOR}) == []
    known = {change.incident.id: change for change in load_incidents(store)}
    assert [c.percent for c in known[one.id].incident.contributions] == [100, 100]
    assert len(known[one.id].incident.samples) == 2
    assert known[unknown.id].incident.samples == ()
    assert {change.change for change in known.values()} == {1}
