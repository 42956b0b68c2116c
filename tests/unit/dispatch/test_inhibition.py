"""What one incident keeps others from saying: never more than it says itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from dispatch_house import DAY, DispatchHouse, Recorder
from incidents import anomaly, incident

from bartizan.dispatch.controls.inhibition import inhibits
from bartizan.dispatch.delivery import preview
from bartizan.dispatch.rulebook import Rule
from bartizan.model.anomaly import Direction, Incident, IncidentState
from bartizan.model.health import HEALTH, HealthMeasure
from bartizan.store.incidents import replace_incidents, save_explanation, unexplained

BELOW = Direction.BELOW


def some(detector: str, measure: str, *places: int, **options: object) -> Incident:
    """An incident of series of one web ACL and what else is named."""
    values = {"webacl": "shop"} | options.pop("values", {})  # type: ignore[operator]
    points = [anomaly(at, values, **options) for at in places or (3,)]  # type: ignore[arg-type]
    return incident(points, detector, measure)


SURGE = some("waf_allowed_requests", "allowed", severity=92.0)
PART = some("waf_traffic_by_country", "requests", values={"country": "DE"}, severity=91.0)


@pytest.fixture
def house(tmp_path: Path) -> DispatchHouse:
    return DispatchHouse(tmp_path)


def found(house: DispatchHouse, *incidents: Incident) -> None:
    for one in incidents:
        replace_incidents(house.store, one.detector, DAY, [one])
    for change in unexplained(house.store):
        save_explanation(house.store, change.incident, change.change)


@pytest.mark.parametrize(
    ("child", "muted"),
    [
        (PART, True),
        (some("d", "allowed", values={"host": "a", "uri_template": "/"}), True),
        (some("d", "allowed", 4, values={"country": "DE"}), True),  # an interval later
        (some("d", "allowed", 5, values={"country": "DE"}), False),
        (some("d", "allowed", 2, values={"country": "DE"}), True),
        (some("d", "allowed", 1, 3, values={"country": "DE"}), False),  # it began before
        (replace(PART, severity=70.0), True),
        (some("d", "blocked", values={"rule": "SQLi"}), False),  # an attack beneath a surge
        (some("d", "allowed", values={"webacl": "blog", "country": "DE"}), False),
        (some("d", "allowed"), False),  # no part of it
        (some("d", "allowed", values={"country": "DE"}, direction=BELOW), False),
    ],
)
def test_a_surge_mutes_its_parts_only(child: Incident, muted: bool) -> None:
    assert inhibits(SURGE, child) is muted
    assert not inhibits(child, SURGE)


def test_a_part_that_goes_on_when_the_surge_is_over_is_told() -> None:
    over = replace(SURGE, state=IncidentState.RESOLVED)
    long = some("d", "allowed", 3, 5, values={"country": "DE"})
    assert inhibits(SURGE, long)
    assert not inhibits(over, long)
    assert inhibits(over, some("d", "allowed", 3, 4, values={"country": "DE"}))


def test_nothing_is_muted_by_what_is_less_severe() -> None:
    assert not inhibits(replace(SURGE, severity=89.0), PART)


def test_a_part_is_muted_where_the_whole_is_told_and_says_by_what(house: DispatchHouse) -> None:
    """Found in whatever order; `b` does not hear of the surge, so it hears of the part."""
    found(house, PART, SURGE)
    rules = (
        Rule(channels=frozenset({"a"})),
        Rule(frozenset({PART.detector}), frozenset({"b"})),
    )
    a, b = Recorder(), Recorder()
    plan = house.plan({"a": a, "b": b}, rules)
    expected = {(SURGE.id, "a"): True, (SURGE.id, "b"): False}
    expected |= {(PART.id, "a"): False, (PART.id, "b"): True}
    seen = preview(house.store, plan, house.clock.now)
    assert {(one["incident"], one["channel"]): one["sends"] for one in seen} == expected
    house.dispatch({"a": a, "b": b}, rules=rules)
    assert (a.keys, b.keys) == ([(1, SURGE.id)], [(1, PART.id)])
    why = {row[1:]: row[0] for row in house.rows("reason", "incident_id", "channel")}
    assert why[PART.id, "a"].startswith(f"inhibited by {SURGE.id}: Allowed requests")


def test_a_part_that_outlasts_the_surge_is_told(house: DispatchHouse) -> None:
    found(house, SURGE)
    a = Recorder()
    house.dispatch({"a": a})
    later = some(PART.detector, "requests", 9, values={"country": "DE"})
    found(house, later)
    house.dispatch({"a": a})
    assert a.keys == [(1, SURGE.id), (1, later.id)]


def test_missing_logs_mute_what_dropped_in_their_hours(house: DispatchHouse) -> None:
    lack = some(HEALTH, HealthMeasure.INCOMPLETE_LOGS, 3, 4)
    inside = some("waf_allowed_requests", "allowed", 3, 4, direction=BELOW)
    beyond = some("waf_allowed_requests", "allowed", 3, 4, 5, direction=BELOW)
    assert inhibits(lack, inside)
    assert not inhibits(lack, beyond)
    assert not inhibits(lack, SURGE)
    assert not inhibits(lack, replace(lack, direction=BELOW))
    assert not inhibits(replace(lack, measure=HealthMeasure.DEAD), inside)
    elsewhere = some("d", "allowed", 3, values={"webacl": "blog"}, direction=BELOW)
    assert not inhibits(lack, elsewhere)
    everywhere = replace(
        lack, anomalies=tuple(replace(one, dimensions=()) for one in lack.anomalies)
    )
    assert inhibits(everywhere, elsewhere)

    a = Recorder()
    found(house, inside, lack)
    house.dispatch({"a": a}, rules=(Rule(frozenset({inside.detector})),))
    assert a.keys == []
    assert any(f"inhibited by {lack.id}" in why for (why,) in house.rows("reason"))
