from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from dashboard_house import DAY, DETECTOR, SCORED, DashboardHouse, attack
from incidents import anomaly, incident

from bartizan import jobs
from bartizan.model.anomaly import Incident, IncidentState
from bartizan.model.health import HEALTH
from bartizan.model.landing import Batch, LogObject
from bartizan.store.detectors import DetectorStatus
from bartizan.store.incidents import replace_incidents
from bartizan.store.landing import add_batches, finish

SQLI, LOGIN = attack(12, "shop", "SQLi", 93), attack(60, "blog", "Login", 96)


def test_open_stories_come_the_most_severe_first(house: DashboardHouse) -> None:
    house.found(SQLI, LOGIN)
    found = house.client.get("/api/v1/now").json()
    assert [(one["lead"], one["severity"], one["label"]) for one in found["stories"]] == [
        (LOGIN.id, 96, "critical"),
        (SQLI.id, 93, "critical"),
    ]
    assert [one["about"] for one in found["stories"]] == [
        [["webacl", "blog"], ["rule", "Login"]],
        [["webacl", "shop"], ["rule", "SQLi"]],
    ]
    page = house.page("/")
    assert "2 open stories" in page.text
    assert page.text.index("rule Login") < page.text.index("rule SQLi")


def test_incidents_of_one_event_are_one_story_told_by_the_worst_that_is_open(
    house: DashboardHouse,
) -> None:
    """They share place, time and rule; the most severe is over, so the other tells the story."""
    weaker = incident(
        [anomaly(13, {"webacl": "shop", "rule": "SQLi"}, severity=75)],
        detector="waf_blocked_share",
        measure="share",
    )
    house.found(SQLI)
    house.found(weaker, detector="waf_blocked_share")
    (card,) = house.client.get("/api/v1/now").json()["stories"]
    assert (card["lead"], card["incidents"]) == (SQLI.id, 2)
    replace_incidents(house.store, DETECTOR, DAY, [_resolved(SQLI)])
    (card,) = house.client.get("/api/v1/now").json()["stories"]
    assert (card["lead"], card["incidents"]) == (weaker.id, 2)
    assert card["window"]["start"] == "2026-11-16T01:00:00Z"  # of the one that is over


def test_what_is_over_moves_down_and_what_is_withdrawn_goes(house: DashboardHouse) -> None:
    house.found(SQLI, LOGIN)
    replace_incidents(house.store, DETECTOR, DAY, [_resolved(SQLI)])
    found = house.client.get("/api/v1/now").json()
    assert found["stories"] == []
    assert [one["lead"] for one in found["over"]] == [SQLI.id]
    page = house.page("/")
    assert "Nothing is open" in page.text
    assert "Login" not in page.text


def test_how_a_story_is_handled_is_said_at_the_time_of_the_look(house: DashboardHouse) -> None:
    house.found(SQLI)
    at = house.now
    jobs.snooze_incident(SQLI.id, at + timedelta(hours=4), "bob", "a test", at)
    assert _standing(house) == ("snoozed", "snoozed by bob until 2026-11-16 17:00 UTC")
    jobs.acknowledge_incident(SQLI.id, "cora", at)
    assert _standing(house)[0] == "snoozed"
    house.now += timedelta(hours=4)
    assert _standing(house) == ("acknowledged", "acknowledged by cora")
    jobs.resume_incident(SQLI.id, "cora", house.now)
    assert _standing(house)[0] == "open"


def test_the_header_says_how_far_the_data_are(house: DashboardHouse) -> None:
    empty = house.client.get("/api/v1/now").json()["freshness"]
    assert (empty["landed"], empty["scored"]) == (None, None)
    assert "nothing yet" in house.page("/").text
    batch = Batch.of([LogObject("raw/shop/2026/11/16/11/05/a.gz", "1", 10)])
    add_batches(house.store, [batch])
    finish(house.store, batch, [SCORED - timedelta(hours=1)], {SCORED - timedelta(days=9): 7})
    house.watches(DETECTOR)
    house.watches("waf_labels", DetectorStatus.LEARNING, series=5, series_ready=2)
    house.watches("waf_methods", DetectorStatus.DEACTIVATED)
    found = house.client.get("/api/v1/now").json()
    assert found["freshness"]["landed"] == "2026-11-16T12:00:00Z"
    assert found["freshness"]["scored"] == "2026-11-16T12:00:00Z"
    assert found["freshness"]["late"] == 7
    assert [(one["name"], one["series_ready"]) for one in found["learners"]] == [("waf_labels", 2)]


def test_trouble_of_our_own_is_no_story(house: DashboardHouse) -> None:
    trouble = incident(
        [anomaly(3, {"channel": "slack"}, 4, 0, 80)], detector=HEALTH, measure="dead_messages"
    )
    house.found(trouble, detector=HEALTH)
    found = house.client.get("/api/v1/now").json()
    assert found["stories"] == []
    assert len(found["freshness"]["trouble"]) == 1
    assert "slack" in found["freshness"]["trouble"][0]
    assert "Bartizan itself has trouble" in house.page("/").text


def _resolved(one: Incident) -> Incident:
    return replace(one, state=IncidentState.RESOLVED)


def _standing(house: DashboardHouse) -> tuple[str, str]:
    (card,) = house.client.get("/api/v1/now").json()["stories"]
    return card["standing"]["word"], card["standing"]["text"]
