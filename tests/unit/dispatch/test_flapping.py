"""What ends and begins again and again: told as flapping once, and how it ends at last."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from dispatch_house import HIGH, DispatchHouse, Recorder
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from incidents import anomaly, incident

from bartizan.dispatch.alerts import read_alerts
from bartizan.dispatch.channels.base import Outcome, Shape
from bartizan.dispatch.rulebook import Flapping, Rulebook
from bartizan.dispatch.shapes import slack
from bartizan.errors import ConfigError
from bartizan.model.anomaly import Incident, IncidentState
from bartizan.store.flaps import flaps_of
from bartizan.store.incidents import load_incident

RULE = Flapping(frozenset({"chat"}), after=3, within=timedelta(days=1), stable=timedelta(hours=2))


@pytest.fixture
def house(tmp_path: Path) -> DispatchHouse:
    return DispatchHouse(tmp_path)


def one_at(hour: int, series: str = "SQLi", severity: float = 75.0) -> Incident:
    """The same thing again: another incident of the same series."""
    return incident([anomaly(12 * hour + 3, {"webacl": "shop", "rule": series}, severity=severity)])


def ended(*found: Incident) -> list[Incident]:
    return [replace(one, state=IncidentState.RESOLVED) for one in found]


def tell(house: DispatchHouse, chat: Recorder, record: Recorder, *found: Incident) -> None:
    """Found and dispatched, half an hour after the start of the last."""
    house.found(*found)
    house.clock.now = max(one.window.end for one in found) + timedelta(minutes=30)
    house.dispatch({"chat": chat, "record": record}, flapping=RULE)


def come_and_go(
    house: DispatchHouse, chat: Recorder, record: Recorder, times: int, severity: float = 75.0
) -> list[Incident]:
    """Each hour another incident of the same series, told when it is open and when it has ended;
    returns all of them, ended."""
    past: list[Incident] = []
    for hour in range(times):
        now = one_at(hour, severity=severity)
        tell(house, chat, record, *past, now)
        past = ended(*past, now)
        tell(house, chat, record, *past)
    return past


def people(shape: Shape = slack.shape) -> Recorder:
    return Recorder(shape=lambda *asked: shape(*asked) | {"state": asked[0].state.value})


def said(chat: Recorder) -> list[tuple[str, str]]:
    """State, and what stands before the first colon where it says that it flaps."""
    texts = [one.payload["blocks"][2]["text"]["text"] for one in chat.sent]
    return [
        (one.payload["state"], text.partition(":")[0] if "lapping" in text else "")
        for one, text in zip(chat.sent, texts, strict=True)
    ]


def test_after_three_ends_it_is_told_as_flapping_once_and_at_last_how_it_ended(
    house: DispatchHouse,
) -> None:
    chat, record = people(), people()
    come_and_go(house, chat, record, 6)
    normal = [("open", ""), ("resolved", "")] * 3
    assert said(chat) == [*normal, ("open", "Flapping")]
    # A record that should be true gets everything, and hears nothing of that.
    assert said(record) == [("open", ""), ("resolved", "")] * 6
    reasons = {row[0] for row in house.rows("reason") if row[0].startswith("flapping")}
    assert reasons == {"flapping, as told: ended 4 times in 1 d"}
    house.clock.turn(hours=1, minutes=29)
    tell_again(house, chat, record)
    assert len(chat.sent) == 7
    house.clock.turn(minutes=1)
    tell_again(house, chat, record)
    assert said(chat)[7:] == [("resolved", "It was flapping")]
    assert chat.keys[7] == (2, one_at(3).id)
    tell_again(house, chat, record)
    assert len(chat.sent) == 8


def tell_again(house: DispatchHouse, chat: Recorder, record: Recorder) -> None:
    house.dispatch({"chat": chat, "record": record}, flapping=RULE)


def test_one_incident_that_is_opened_again_flaps_as_well(house: DispatchHouse) -> None:
    chat, record = people(), people()
    for _ in range(5):
        tell(house, chat, record, one_at(0))
        tell(house, chat, record, *ended(one_at(0)))
    assert said(chat) == [*[("open", ""), ("resolved", "")] * 3, ("open", "Flapping")]
    house.clock.turn(hours=2)
    tell_again(house, chat, record)
    assert chat.keys[7:] == [(10, one_at(0).id)]


def test_what_gets_worse_by_a_level_speaks(house: DispatchHouse) -> None:
    chat, record = people(), people()
    past = come_and_go(house, chat, record, 5)
    assert len(chat.sent) == 7
    tell(house, chat, record, *past, one_at(5, severity=95.0))
    assert chat.keys[7:] == [(1, one_at(5).id)]


def test_other_series_and_ends_long_ago_do_not_count(house: DispatchHouse) -> None:
    alike = [one_at(0), one_at(1), one_at(24 + 2)]
    other = [one_at(2, "XSS"), one_at(24, "XSS"), one_at(24 + 3, "XSS")]
    house.found(*ended(*alike), *ended(*other))
    house.dispatch({"chat": people()})
    found = load_incident(house.store, one_at(24 + 2).id)
    assert found is not None
    counts = {
        hours: flaps_of(house.store, found, timedelta(hours=hours), 1).ends.get("chat", 0)
        for hours in (1, 24, 48)
    }
    assert counts == {1: 0, 24: 0, 48: 2}


@pytest.mark.parametrize("state", [IncidentState.OPEN, IncidentState.RESOLVED])
def test_a_channel_that_is_down_hears_that_it_flaps_when_it_is_back(
    house: DispatchHouse, state: IncidentState
) -> None:
    chat, record = people(), people()
    past = come_and_go(house, chat, record, 3)
    works, chat.answer = chat.answer, lambda one: Outcome.transient("HTTP 503")
    tell(house, chat, record, *past, one_at(3))
    chat.sent.clear()
    chat.answer = works
    tell(house, chat, record, *past, replace(one_at(3), severity=76.0, state=state))
    house.clock.turn(minutes=2)
    tell_again(house, chat, record)
    ((kind, text),) = said(chat)
    assert (kind, "lapping" in text) == (state.value, True)
    assert chat.keys == [(2, one_at(3).id)]


def test_what_nobody_was_told_of_makes_nothing_flap(house: DispatchHouse) -> None:
    chat, record = people(), people()
    # Below the alert threshold of 70.
    past = come_and_go(house, chat, record, 4, severity=60.0)
    tell(house, chat, record, *past, one_at(4))
    assert said(chat) == [("open", "")]


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(states=st.lists(st.sampled_from(["open", "resolved", "withdrawn"]), max_size=12))
def test_whoever_was_told_always_hears_how_it_ends(
    tmp_path_factory: pytest.TempPathFactory, states: list[str]
) -> None:
    house = DispatchHouse(tmp_path_factory.mktemp("flaps"))
    chat, record = people(), people()
    for state in ("open", *states):
        found = [replace(HIGH, state=IncidentState(state))] if state != "withdrawn" else []
        house.found(*found)
        house.clock.turn(minutes=1)
        tell_again(house, chat, record)
    told = said(chat)
    assert sum(text == "Flapping" for _, text in told) <= 1
    house.found()
    house.clock.turn(hours=3)
    tell_again(house, chat, record)
    assert said(chat)[-1][0] == "withdrawn"
    assert (chat.sent[-1].message.change, record.sent[-1].payload["state"]) == (
        record.sent[-1].message.change,
        "withdrawn",
    )


@pytest.mark.parametrize(
    ("block", "channels", "after"),
    [
        ("", {"talk", "post", "shown"}, 3),
        ("flapping: {after: 5}", {"talk", "post", "shown"}, 5),
        ("flapping: {channels: [hub]}", {"hub"}, 3),
        ("flapping: {channels: []}", set(), 3),
    ],
)
def test_alerts_yaml_spares_people_unless_it_says_otherwise(
    house: DispatchHouse, tmp_path: Path, block: str, channels: set[str], after: int
) -> None:
    path = tmp_path / "alerts.yaml"
    path.write_text(
        "channels:\n"
        "  talk: {kind: slack, secret: slack}\n"
        "  post: {kind: email, host: h, sender: a@example.com, to: [b@example.com]}\n"
        "  hub: {kind: security_hub}\n"
        "  topic: {kind: sns, topic: 'arn:aws:sns:eu-central-1:111122223333:t'}\n"
        "  shown: {kind: folder, of: pagerduty}\n"
        "  kept: {kind: folder, of: webhook}\n" + block
    )
    found = read_alerts(path, house.site(), []).flapping
    assert found is not None
    assert (found.channels, found.after) == (channels, after)
    assert Rulebook().flapping is None
    path.write_text(path.read_text().replace(block, "") + "flapping: {channels: [chat]}")
    with pytest.raises(ConfigError, match=r"flapping.channels: 'chat' is unknown"):
        read_alerts(path, house.site(), [])
