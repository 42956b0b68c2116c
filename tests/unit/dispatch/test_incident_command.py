"""Snoozed and acknowledged: what people do about an incident, and what is told all the same."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from commands import Command, bartizan_command
from dispatch_house import HIGH, START, DispatchHouse, Recorder

from bartizan.dispatch.rulebook import Rule
from bartizan.model.anomaly import IncidentState
from bartizan.model.feedback import Feedback, FeedbackKind
from bartizan.model.handling import Handling, HandlingKind
from bartizan.model.stand import Stand
from bartizan.store.feedback import save_feedback
from bartizan.store.handling import load_handling, save_handling

ESCALATES = (
    Rule(channels=frozenset({"a"})),
    Rule(channels=frozenset({"pager"}), unacknowledged_for=timedelta(minutes=30)),
)


@pytest.fixture
def house(tmp_path: Path) -> DispatchHouse:
    (tmp_path / "lake").mkdir()
    return DispatchHouse(tmp_path / "lake")


def test_a_snooze_holds_everything_until_it_ends_and_then_tells_how_it_stands(
    house: DispatchHouse,
) -> None:
    channel = Recorder()
    house.found(HIGH)
    house.handle(HandlingKind.SNOOZE, 4)
    house.dispatch({"a": channel})
    house.clock.turn(hours=3)
    house.found(replace(HIGH, value=999.0))
    house.dispatch({"a": channel})
    assert channel.keys == []
    house.clock.turn(hours=1)
    house.dispatch({"a": channel})
    assert channel.keys == [(2, HIGH.id)]


def test_a_snooze_can_be_made_shorter_and_taken_back(house: DispatchHouse) -> None:
    channel = Recorder()
    house.found(HIGH)
    house.handle(HandlingKind.SNOOZE, 100)
    house.handle(HandlingKind.SNOOZE, 1)
    house.dispatch({"a": channel})
    house.clock.turn(hours=1)
    house.dispatch({"a": channel})
    assert channel.keys == [(1, HIGH.id)]
    house.handle(HandlingKind.SNOOZE, 100)
    house.found(replace(HIGH, value=999.0))
    house.dispatch({"a": channel})
    house.handle(HandlingKind.RESUME)
    house.dispatch({"a": channel})
    assert channel.keys == [(1, HIGH.id), (2, HIGH.id)]


@pytest.mark.parametrize("kind", [HandlingKind.SNOOZE, HandlingKind.ACKNOWLEDGE])
def test_what_gets_worse_or_ends_is_told_all_the_same(
    house: DispatchHouse, kind: HandlingKind
) -> None:
    channel, stranger = Recorder(), Recorder()
    start = replace(HIGH, severity=75.0)
    history = [
        (start, True),
        (replace(start, severity=89.0), False),
        (replace(start, severity=90.0), True),  # a level higher than when it was handled
        (replace(start, severity=80.0), False),
        (replace(start, state=IncidentState.RESOLVED), True),
    ]
    told = []
    for number, (incident, _) in enumerate(history, start=1):
        house.found(incident)
        house.dispatch({"a": channel})
        told.append((number, HIGH.id) in channel.keys)
        if number == 1:
            until = house.clock.now + timedelta(days=1) if kind is HandlingKind.SNOOZE else None
            words = ("Ada", "known", house.clock.now, until, Stand.of(start))
            save_handling(house.store, Handling(HIGH.id, 1, kind, *words))
    assert told == [sends for _, sends in history]
    house.dispatch({"a": channel, "b": stranger})
    assert stranger.keys == []


def test_what_nobody_acknowledges_goes_to_another_channel(house: DispatchHouse) -> None:
    chat, pager = Recorder(), Recorder()
    house.found(HIGH)
    house.dispatch({"a": chat, "pager": pager}, rules=ESCALATES)
    house.clock.turn(minutes=20)
    house.found(replace(HIGH, value=400.0))  # a change does not begin the time anew
    house.dispatch({"a": chat, "pager": pager}, rules=ESCALATES)
    assert (len(chat.keys), pager.keys) == (2, [])
    house.clock.turn(minutes=10)
    house.dispatch({"a": chat, "pager": pager}, rules=ESCALATES)
    assert (len(chat.keys), pager.keys) == (2, [(2, HIGH.id)])


@pytest.mark.parametrize("ended", [True, False])
def test_what_is_acknowledged_or_over_is_not_escalated(house: DispatchHouse, ended: bool) -> None:
    chat, pager = Recorder(), Recorder()
    house.found(HIGH)
    house.dispatch({"a": chat, "pager": pager}, rules=ESCALATES)
    if ended:
        house.found(replace(HIGH, state=IncidentState.RESOLVED))
    else:
        house.handle(HandlingKind.ACKNOWLEDGE)
    house.clock.turn(hours=1)
    house.dispatch({"a": chat, "pager": pager}, rules=ESCALATES)
    assert pager.keys == []
    (why,) = {why for name, why in house.rows("channel", "reason") if name == "pager"}
    assert why == (
        "resolved before it was escalated"
        if ended
        else f"acknowledged by Ada at {START:%Y-%m-%d %H:%M} UTC"
    )


@pytest.mark.parametrize(
    ("kind", "stops"), [(FeedbackKind.EXPECTED, True), (FeedbackKind.NONE, False)]
)
def test_feedback_stops_updates_and_escalation(
    house: DispatchHouse, kind: FeedbackKind, stops: bool
) -> None:
    chat, pager = Recorder(), Recorder()
    channels = {"a": chat, "pager": pager}
    start = replace(HIGH, severity=75.0)
    house.found(start)
    house.dispatch(channels, rules=ESCALATES)
    row = Feedback(
        *(HIGH.id, 1, HIGH.detector, HIGH.measure, HIGH.direction, kind, None, "", "Ada"),
        *(START, START, (), START, 1.0, 1.0),
    )
    save_feedback(house.store, row)
    house.clock.turn(hours=1)
    house.found(replace(start, value=400.0))
    house.dispatch(channels, rules=ESCALATES)
    assert (len(chat.keys), len(pager.keys)) == ((1, 0) if stops else (2, 1))
    house.found(replace(start, severity=95.0))
    house.dispatch(channels, rules=ESCALATES)
    assert chat.keys[-1] == (3, HIGH.id)
    house.found(replace(start, state=IncidentState.RESOLVED))
    house.dispatch(channels, rules=ESCALATES)
    assert chat.keys[-1] == (4, HIGH.id)


@pytest.fixture
def command(
    house: DispatchHouse, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:
    """Runs the command on the house; returns its code, output and errors."""
    monkeypatch.setenv("BARTIZAN_HOME", str(house.folder.parents[1]))
    monkeypatch.setenv("BARTIZAN_ALERTS", "")
    return bartizan_command(monkeypatch, capsys, "incident")


def test_the_command_shows_and_keeps_what_was_done(house: DispatchHouse, command: Command) -> None:
    house.found(HIGH)
    at = ("--at", "2026-11-17T09:00Z")
    done = ("snooze", HIGH.id, "--for", "PT4H", "--by", "Ada\x1b[31m", "--why", "scan", *at)
    assert command(*done)[1].startswith("snooze until 2026-11-17T13:00:00Z by Ada\\u001b[31m")
    assert command(*done)[1].endswith("(as before)\n")
    assert command("acknowledge", HIGH.id, "--by", "Bo", *at)[0] == 0
    (row,) = json.loads(command("list", "--state", "open", "--json")[1])
    assert (row["id"], row["acknowledged"]["by"]) == (HIGH.id, "Bo")
    assert command("list", "--state", "resolved")[1] == "none\n"
    shown = command("show", HIGH.id)[1]
    assert "1. snooze until" in shown and "2. acknowledge by Bo" in shown
    assert [one.kind.value for one in load_handling(house.store)] == ["snooze", "acknowledge"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("snooze", HIGH.id, "--by", "A", "--why", "x"), "needs either --until or --for"),
        (("snooze", HIGH.id, "--by", "A", "--why", "x", "--for", "P91D"), "not within 90 days"),
        (("snooze", HIGH.id, "--by", "A", "--why", " ", "--for", "PT1H"), "has no reason"),
        (("snooze", HIGH.id, "--by", "A", "--why", "x", "--until", "2020-01-01"), "not within"),
        (("acknowledge", HIGH.id, "--by", " "), "--by: is empty"),
        (("acknowledge", "no-such", "--by", "A"), "'no-such': is unknown"),
        (("resume", "over", "--by", "A"), "is resolved: nothing more is told"),
    ],
)
def test_what_cannot_be_is_refused(
    house: DispatchHouse, command: Command, words: tuple[str, ...], says: str
) -> None:
    house.found(HIGH, replace(HIGH, id="over", state=IncidentState.RESOLVED))
    code, _, err = command(*words)
    assert (code, says in err) == (2, True), err
    assert load_handling(house.store) == []
