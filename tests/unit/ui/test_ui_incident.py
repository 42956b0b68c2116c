from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from dashboard_house import DashboardHouse, attack
from dispatch_house import CONTEXT, Recorder
from incidents import anomaly, incident

from bartizan import jobs
from bartizan.dispatch.delivery import Plan, dispatch
from bartizan.dispatch.rulebook import Rulebook
from bartizan.model.anomaly import Explanation, RootCause
from bartizan.model.evidence import Evidence, FirstSeen, Impact, Query

SQLI = replace(
    attack(),
    explanation=Explanation((RootCause((("rule", "SQLi"),), 360.0, 18.0, 97),), 50.0, 49.0, True),
    evidence=Evidence(
        Impact(10, 200), (FirstSeen("rule", "SQLi", 30, True),), (Query("The rows", "select 1"),)
    ),
    samples=({"event_time": "2026-11-16T01:00:05Z", "client_ip": "198.51.100.7", "uri": "/a"},),
)


def test_an_incident_says_what_happened_and_shows_what_is_behind_it(house: DashboardHouse) -> None:
    house.found(SQLI)
    page = house.page(f"/incident?id={SQLI.id}")
    for text in (
        "rule = SQLi",
        "97%",
        "Without it the rest is 1.02 times what was expected (normal)",
        "Traffic that got through fell: 10 allowed requests, 200 a week before",
        "was never seen before in 30 days",
        "198.51.100.7",
        "select 1",
    ):
        assert text in page.text
    found = house.client.get(f"/api/v1/incidents/{SQLI.id}").json()
    assert found["body"]["incident"]["samples"] == list(SQLI.samples)
    assert found["body"]["incident"]["evidence"]["impact"] == {"allowed": 10, "before": 200}
    assert len(found["body"]["incident"]["anomalies"]) == 3
    assert found["family"] is None


def test_the_timeline_holds_traffic_messages_and_people_in_order(house: DashboardHouse) -> None:
    house.found(SQLI)
    book = Rulebook(thresholds={SQLI.detector: 70})
    channels = {"one": Recorder(), "two": Recorder()}
    told = house.now - timedelta(minutes=30)
    dispatch(house.store, Plan(channels, book, CONTEXT), lambda: told)
    jobs.acknowledge_incident(SQLI.id, "bob", house.now, "on it")
    jobs.give_feedback(SQLI.id, "confirmed", house.now + timedelta(minutes=5), by="cora")
    found = house.client.get(f"/api/v1/incidents/{SQLI.id}").json()
    assert [(one["kind"], one["text"], one["detail"]) for one in found["timeline"]] == [
        ("traffic", "First unusual interval", ""),
        ("traffic", "Peak", "120 against an expected 6"),
        ("traffic", "End of the last unusual interval", ""),
        ("message", "Change 1 delivered", "one, two"),
        ("person", "bob acknowledged it", "on it"),
        ("person", "cora said: confirmed", ""),
    ]
    assert [(one["message"]["channel"], one["state"]) for one in found["messages"]] == [
        ("one", "delivered"),
        ("two", "delivered"),
    ]
    assert found["standing"]["text"] == "acknowledged by bob"
    assert found["said"]["kind"] == "confirmed"


def test_the_story_says_why_incidents_are_together_and_what_moved_first(
    house: DashboardHouse,
) -> None:
    earlier = incident(
        [anomaly(at, {"webacl": "shop"}, severity=80) for at in range(10, 14)],
        detector="waf_allowed_requests",
        measure="allowed",
    )
    same = incident(
        [anomaly(13, {"webacl": "shop", "rule": "SQLi"}, severity=75)],
        detector="waf_blocked_share",
        measure="share",
    )
    elsewhere = attack(12, "blog", "SQLi")
    house.found(SQLI, elsewhere, stories=False)
    house.found(earlier, detector="waf_allowed_requests", stories=False)
    house.found(same, detector="waf_blocked_share")
    family = house.client.get(f"/api/v1/incidents/{SQLI.id}").json()["family"]
    assert [(one["id"], one["why"], one["moved"]) for one in family["others"]] == [
        (earlier.id, "one is of the total of webacl shop", "moved first, 10 min before"),
        (same.id, "both are about rule SQLi", "moved later, 5 min after"),
    ]
    assert family["window"] == {"start": "2026-11-16T00:50:00Z", "end": "2026-11-16T01:15:00Z"}


def test_one_that_was_not_told_says_so_and_an_unknown_one_too(house: DashboardHouse) -> None:
    house.found(SQLI)
    assert "Nobody was told yet" in house.page(f"/incident?id={SQLI.id}").text
    unknown = house.client.get("/incident?id=nothing")
    assert unknown.status_code == 400
    assert "is unknown" in unknown.text
    assert house.client.get("/api/v1/incidents/nothing").json() == {
        "detail": "incident: 'nothing' is unknown",
        "remedy": "open it from Now",
    }


def test_numbers_that_are_none_are_null(house: DashboardHouse) -> None:
    one = incident([anomaly(3, {"webacl": "shop"}, expected=float("nan"))])
    house.found(one)
    assert house.page(f"/incident?id={one.id}")
    found = house.client.get(f"/api/v1/incidents/{one.id}").json()
    assert found["body"]["incident"]["expected"] is None
