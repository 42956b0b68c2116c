"""After an outage hours long past are scored one by one: one message an event, as history."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from dispatch_house import DAY, DispatchHouse, Recorder
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from incidents import DAY_START, anomaly, incident

from bartizan.dispatch.alerts import read_alerts
from bartizan.dispatch.delivery import preview
from bartizan.dispatch.rulebook import CatchUp
from bartizan.dispatch.shapes import webhook
from bartizan.model.anomaly import Incident, IncidentState
from bartizan.model.window import Window
from bartizan.store.incidents import replace_incidents, save_explanation, unexplained

HOUR = timedelta(hours=1)
RULE = CatchUp()


@pytest.fixture
def house(tmp_path: Path) -> DispatchHouse:
    return DispatchHouse(tmp_path)


@pytest.fixture
def hook() -> Recorder:
    return Recorder(shape=webhook.shape)


def lasting(hours: int) -> Incident:
    """Anomalous in the first interval of each hour."""
    return incident([anomaly(12 * hour, {"webacl": "shop"}) for hour in range(hours)])


def scored(house: DispatchHouse, through: datetime, *found: Incident) -> None:
    window = Window(DAY.start, through)
    replace_incidents(house.store, lasting(1).detector, window, found)
    for one in unexplained(house.store):
        save_explanation(house.store, one.incident, one.change)


def tell(house: DispatchHouse, hook: Recorder, rule: CatchUp | None = RULE) -> None:
    house.dispatch({"hook": hook}, catch_up=rule)


def said(hook: Recorder) -> list[tuple[str, bool]]:
    """Kind of change, and whether it is history."""
    return [
        (one.payload["changeKind"], bool((one.payload["related"] or {}).get("isHistory")))
        for one in hook.sent
    ]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (RULE, [("resolved", True)]),
        (None, [("opened", False), *[("updated", False)] * 4, ("resolved", False)]),
    ],
)
def test_an_event_of_many_hours_is_told_once_as_history(
    house: DispatchHouse, hook: Recorder, rule: CatchUp | None, expected: list[tuple[str, bool]]
) -> None:
    house.clock.now = DAY_START + timedelta(days=2)
    for hours in range(1, 6):
        scored(house, DAY_START + hours * HOUR, lasting(hours))
        house.clock.turn(minutes=5)
        tell(house, hook, rule)
    scored(house, DAY_START + 8 * HOUR, replace(lasting(5), state=IncidentState.RESOLVED))
    tell(house, hook, rule)
    tell(house, hook, rule)
    assert said(hook) == expected


def test_the_dry_run_says_why_it_waits(house: DispatchHouse, hook: Recorder) -> None:
    house.clock.now = DAY_START + timedelta(days=2)
    scored(house, DAY_START + HOUR, lasting(1))
    plan = house.plan({"hook": hook}, catch_up=RULE)
    (row,) = preview(house.store, plan, house.clock.now)
    assert row["sends"] is None
    assert row["why"] == (
        "scoring catches up, at 2026-11-16 01:00 UTC: waits until 2026-11-18 00:30 UTC at most"
    )


def test_scoring_that_stands_still_hides_nothing(house: DispatchHouse, hook: Recorder) -> None:
    house.clock.now = DAY_START + timedelta(days=2)
    scored(house, DAY_START + HOUR, lasting(1))
    tell(house, hook)
    house.clock.turn(minutes=29)
    tell(house, hook)
    assert said(hook) == []
    house.clock.turn(minutes=1)
    tell(house, hook)
    assert said(hook) == [("opened", True)]


def test_what_still_goes_on_is_told_when_scoring_is_near_the_present(
    house: DispatchHouse, hook: Recorder
) -> None:
    house.clock.now = DAY_START + 14 * HOUR
    for hours in range(1, 12):
        scored(house, DAY_START + hours * HOUR, lasting(hours))
        tell(house, hook)
    ((kind, is_history),) = said(hook)[:1]
    assert (kind, is_history) == ("updated", False)
    # Eight hours scored are six behind, without the two intervals of five minutes.
    assert hook.sent[0].payload["event"]["endTime"].startswith("2026-11-16T07:05")
    assert len(hook.sent) == 4


def test_what_was_told_before_the_outage_hears_its_end_and_is_no_history(
    house: DispatchHouse, hook: Recorder
) -> None:
    house.clock.now = DAY_START + HOUR
    scored(house, DAY_START + HOUR, lasting(1))
    tell(house, hook)
    house.clock.now = DAY_START + timedelta(days=3)
    for hours in (2, 3):
        scored(house, DAY_START + hours * HOUR, lasting(hours))
        tell(house, hook)
    assert said(hook) == [("opened", False)]
    scored(house, DAY_START + 6 * HOUR, replace(lasting(3), state=IncidentState.RESOLVED))
    tell(house, hook)
    assert said(hook) == [("opened", False), ("resolved", False)]


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    step=st.sampled_from([timedelta(minutes=5), HOUR, timedelta(days=1)]),
    spare=st.timedeltas(timedelta(minutes=-30), timedelta(minutes=30)),
)
def test_how_late_is_late_grows_with_the_interval(
    tmp_path_factory: pytest.TempPathFactory, step: timedelta, spare: timedelta
) -> None:
    house, hook = DispatchHouse(tmp_path_factory.mktemp("late")), Recorder(shape=webhook.shape)
    one = incident([anomaly(0, {"webacl": "shop"}, step=step)])
    house.clock.now = one.window.end + timedelta(hours=6) + 2 * step + spare
    scored(house, one.window.end, one)
    tell(house, hook)
    assert len(hook.sent) == (spare <= timedelta(0))


def test_alerts_yaml_says_how_late_is_late(house: DispatchHouse, tmp_path: Path) -> None:
    path = tmp_path / "alerts.yaml"
    path.write_text("channels: {shown: {kind: folder, of: slack}}\n")
    assert read_alerts(path, house.site(), []).catch_up == CatchUp(6 * HOUR, HOUR / 2)
    path.write_text(path.read_text() + "catch_up: {behind: P1D, at_most: PT3H}\n")
    found = read_alerts(path, house.site(), []).catch_up
    assert found == CatchUp(24 * HOUR, 3 * HOUR)
    path.write_text("channels: {shown: {kind: folder, of: slack}}\ncatch_up: null\n")
    assert read_alerts(path, house.site(), []).catch_up is None
    assert read_alerts(None, house.site(), []).catch_up is None
