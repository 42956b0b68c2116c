"""Who is told of which change, how often, and what is tried again."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from dispatch_house import CONTEXT, HIGH, LOW, START, DispatchHouse, Recorder

from bartizan.dispatch.backoff import LONGEST, MOST_ATTEMPTS
from bartizan.dispatch.channels import SHAPES
from bartizan.dispatch.channels.base import Outcome, Outgoing
from bartizan.dispatch.delivery import FAILURES, DispatchResult, preview
from bartizan.dispatch.rulebook import Rule
from bartizan.model.anomaly import IncidentState
from bartizan.model.window import format_time, parse_time
from bartizan.store.outbox import retry


@pytest.fixture
def house(tmp_path: Path) -> DispatchHouse:
    return DispatchHouse(tmp_path)


class Fails:
    """Answers as told, then delivers."""

    def __init__(self, outcome: Outcome, times: int = 10**6) -> None:
        self.outcome, self.left = outcome, times

    def __call__(self, one: Outgoing) -> Outcome:
        self.left -= 1
        return self.outcome if self.left >= 0 else Outcome.delivered("at last")


BUSY = Outcome.transient("HTTP 503: busy")


def test_without_a_file_each_kind_gets_what_is_above_the_threshold_once(
    house: DispatchHouse,
) -> None:
    house.found(HIGH, LOW)
    first = house.dispatch(house.folders())
    assert sorted(first.delivered) == sorted(f"{name}/{HIGH.id}/1.json" for name in SHAPES)
    assert first.skipped == 1
    files = house.files()
    assert sorted(files) == sorted(first.delivered)
    told = [row for row in house.rows("state", "receipt", "payload_id") if row[0] != "skipped"]
    assert len(told) == len(SHAPES)
    for state, receipt, payload_id in told:
        digest = hashlib.sha256(files[payload_id]).hexdigest()
        assert (state, receipt) == ("delivered", f"sha256:{digest}")
    assert json.loads(files[f"lambda/{HIGH.id}/1.json"])["anomalyGroupId"] == HIGH.id

    house.found(HIGH, LOW)  # scored again, nothing new
    assert house.dispatch(house.folders(), threshold=60) == DispatchResult()
    assert house.files() == files


def test_why_a_channel_is_not_told_is_on_record(house: DispatchHouse) -> None:
    house.found(HIGH, LOW)
    rules = (
        Rule(min_severity=60, channels=frozenset({"all"})),
        Rule(frozenset({"another"}), frozenset({"elsewhere"})),
    )
    channels = {"all": Recorder(), "elsewhere": Recorder(), "usual": Recorder()}
    house.dispatch(channels, rules=(*rules, Rule(channels=frozenset({"usual"}))))
    assert {id for _, id in channels["all"].keys} == {HIGH.id, LOW.id}
    assert channels["usual"].keys == [(1, HIGH.id)]
    assert channels["elsewhere"].keys == []
    skipped = [row[1:] for row in house.rows("state", "channel", "reason") if row[0] == "skipped"]
    assert sorted(skipped) == [
        ("elsewhere", f"no rule names detector {HIGH.detector}"),
        ("elsewhere", f"no rule names detector {HIGH.detector}"),
        ("usual", "severity 65.00 is below 70"),
    ]


def test_what_is_not_explained_yet_waits(house: DispatchHouse) -> None:
    channel = Recorder()
    house.found(HIGH, explained=False)
    assert house.dispatch({"a": channel}) == DispatchResult()
    assert house.rows("state") == []
    house.found(HIGH)
    house.dispatch({"a": channel})
    assert channel.keys == [(1, HIGH.id)]


def test_a_preview_writes_nothing_and_is_what_happens_next(house: DispatchHouse) -> None:
    house.found(HIGH, LOW)
    channel = Recorder()
    seen = preview(house.store, house.plan({"a": channel}), START)
    assert [(row["incident"], row["sends"]) for row in seen] == [(HIGH.id, True), (LOW.id, False)]
    assert house.rows("state") == []
    house.dispatch({"a": channel})
    assert [one.payload for one in channel.sent] == [seen[0]["payload"]]
    assert preview(house.store, house.plan({"a": channel}), START) == []


def test_a_failed_send_is_tried_again_later_with_the_same_key_and_payload(
    house: DispatchHouse,
) -> None:
    house.found(HIGH)
    down, up = Recorder(Fails(BUSY, 2)), Recorder()
    channels = {"down": down, "up": up}
    first = house.dispatch(channels)
    assert first.delivered == (f"up/{HIGH.id}/1.json",)
    assert first.waiting == ((f"down/{HIGH.id}/1.json", "HTTP 503: busy"),)
    assert house.states("down") == [(1, "intended")]

    assert house.dispatch(channels) == DispatchResult()  # not due
    house.clock.turn(seconds=31)
    assert len(house.dispatch(channels).waiting) == 1
    house.clock.turn(seconds=61)
    assert house.dispatch(channels).delivered == (f"down/{HIGH.id}/1.json",)
    assert house.attempts() == [
        *[("down", 1, "transient"), ("down", 2, "transient"), ("down", 3, "delivered")],
        ("up", 1, "delivered"),
    ]
    assert len({one.message.key for one in down.sent}) == 1
    assert all(one.payload == down.sent[0].payload for one in down.sent)
    assert not any(one.repeated for one in down.sent)  # it surely never arrived
    assert len(up.sent) == 1


def test_pauses_grow_differ_between_messages_and_end_in_a_dead_letter(
    house: DispatchHouse,
) -> None:
    house.found(HIGH, replace(LOW, severity=80.0))
    channel = Recorder(Fails(BUSY))
    pauses: dict[str, list[timedelta]] = {HIGH.id: [], LOW.id: []}
    dead: tuple[tuple[str, str], ...] = ()
    while not dead:
        dead = house.dispatch({"a": channel}).dead
        for incident_id, state, due in house.rows("incident_id", "state", "next_try"):
            if state == "intended" and (left := parse_time(due) - house.clock.now) > timedelta():
                pauses[incident_id].append(left)
        house.clock.turn(hours=2)
    assert len(dead) == 2
    assert len(channel.sent) == 2 * MOST_ATTEMPTS
    for found in pauses.values():
        assert len(found) == MOST_ATTEMPTS - 1
        for number, pause in enumerate(found):
            whole = min(timedelta(seconds=30) * 2**number, LONGEST)
            assert whole / 2 - timedelta(seconds=1) <= pause <= whole
    assert pauses[HIGH.id] != pauses[LOW.id]
    assert house.dispatch({"a": channel}) == DispatchResult()

    assert retry(house.store, [f"a/{HIGH.id}/1.json"], house.clock.now) == [f"a/{HIGH.id}/1.json"]
    channel.answer = lambda one: Outcome.delivered("by hand")
    assert house.dispatch({"a": channel}).delivered == (f"a/{HIGH.id}/1.json",)
    assert channel.sent[-1].message.key == next(
        one.message.key for one in channel.sent if one.message.incident_id == HIGH.id
    )


def test_retry_after_is_heeded(house: DispatchHouse) -> None:
    house.found(HIGH)
    channel = Recorder(Fails(Outcome.transient("HTTP 429", timedelta(minutes=50)), 1))
    house.dispatch({"a": channel})
    assert house.rows("next_try") == [(format_time(START + timedelta(minutes=50)),)]
    house.clock.turn(minutes=49)
    assert house.dispatch({"a": channel}) == DispatchResult()
    house.clock.turn(minutes=1)
    assert len(house.dispatch({"a": channel}).delivered) == 1


def test_what_may_have_arrived_is_sent_again_marked_as_a_repeat(house: DispatchHouse) -> None:
    house.found(HIGH)
    channel = Recorder(Fails(Outcome.unknown("no answer"), 1))
    house.dispatch({"a": channel})
    house.clock.turn(minutes=1)
    house.dispatch({"a": channel})
    assert [one.repeated for one in channel.sent] == [False, True]
    assert house.attempts() == [("a", 1, "unknown"), ("a", 2, "delivered")]


def test_a_refused_message_is_dead_and_the_others_go_on(house: DispatchHouse) -> None:
    house.found(HIGH, replace(LOW, severity=80.0))

    def refuses_high(one: Outgoing) -> Outcome:
        is_high = one.message.incident_id == HIGH.id
        return Outcome.permanent("HTTP 400: no") if is_high else Outcome.delivered("yes")

    channel = Recorder(refuses_high)
    result = house.dispatch({"a": channel})
    assert result.dead == ((f"a/{HIGH.id}/1.json", "HTTP 400: no"),)
    assert result.delivered == (f"a/{LOW.id}/1.json",)
    house.clock.turn(days=1)
    assert house.dispatch({"a": channel}) == DispatchResult()


def test_a_format_that_cannot_hold_an_incident_is_a_dead_letter(house: DispatchHouse) -> None:
    house.found(HIGH)
    channels = house.folders("security_hub", "slack")
    result = house.dispatch(channels, context=replace(CONTEXT, account_id=""))
    assert result.delivered == (f"slack/{HIGH.id}/1.json",)
    assert [payload_id for payload_id, _ in result.dead] == [f"security_hub/{HIGH.id}/1.json"]
    assert "AwsAccountId is empty" in result.dead[0][1]


def test_a_channel_that_is_down_is_left_alone_for_the_run(house: DispatchHouse) -> None:
    many = [replace(HIGH, id=f"{number:036d}") for number in range(FAILURES + 4)]
    house.found(*many)
    down, up = Recorder(Fails(BUSY)), Recorder()
    result = house.dispatch({"down": down, "up": up})
    assert len(down.sent) == FAILURES
    assert len(result.waiting) == FAILURES
    assert len(up.sent) == len(many)
    assert [state for _, state in house.states("down")] == ["intended"] * len(many)


def test_a_bug_in_one_channel_is_raised_when_the_others_are_done(house: DispatchHouse) -> None:
    house.found(HIGH)

    def breaks(one: Outgoing) -> Outcome:
        raise ZeroDivisionError

    up = Recorder()
    with pytest.raises(ZeroDivisionError):
        house.dispatch({"broken": Recorder(breaks), "up": up})
    assert house.states("up") == [(1, "delivered")]
    assert house.states("broken") == [(1, "sending")]

    for _ in range(MOST_ATTEMPTS - 1):
        house.clock.turn(minutes=5)
        with pytest.raises(ZeroDivisionError):
            house.dispatch({"broken": Recorder(breaks)})
    house.clock.turn(minutes=5)
    assert house.dispatch({"broken": Recorder(breaks)}) == DispatchResult()
    assert house.states("broken") == [(1, "dead")]
    assert {result for _, _, result in house.attempts()} == {"unknown", "delivered"}


def test_a_later_change_takes_the_place_of_one_that_has_not_arrived(house: DispatchHouse) -> None:
    house.found(HIGH)
    channel = Recorder(Fails(BUSY, 1))
    house.dispatch({"a": channel})
    house.found(replace(HIGH, severity=40.0))  # below the threshold, but nobody knows yet
    house.clock.turn(minutes=1)
    house.dispatch({"a": channel})
    assert [change for change, _ in channel.keys] == [1, 2]
    assert house.states() == [(1, "superseded"), (2, "delivered")]
    assert retry(house.store, None, house.clock.now) == []


def test_a_change_waits_while_an_earlier_one_is_being_sent(house: DispatchHouse) -> None:
    house.found(HIGH)
    other = Recorder()

    def meanwhile(one: Outgoing) -> Outcome:
        house.found(replace(HIGH, severity=99.0))
        house.dispatch({"a": other})
        return Outcome.delivered("slowly")

    slow = Recorder(meanwhile)
    house.dispatch({"a": slow})
    assert (slow.keys, other.keys) == ([(1, HIGH.id), (2, HIGH.id)], [])
    assert house.states() == [(1, "delivered"), (2, "delivered")]


def test_two_dispatchers_at_once_send_each_message_once(house: DispatchHouse) -> None:
    house.found(HIGH)
    other = Recorder()

    def meanwhile(one: Outgoing) -> Outcome:
        house.clock.turn(minutes=3)
        house.dispatch({"a": other})
        return Outcome.delivered("first")

    house.dispatch({"a": Recorder(meanwhile)})
    house.dispatch({"a": other})
    assert other.sent == []
    assert house.states() == [(1, "delivered")]


def test_a_withdrawal_reaches_who_was_told_and_nobody_else(house: DispatchHouse) -> None:
    house.found(HIGH, LOW)
    told, dead = Recorder(), Recorder(lambda one: Outcome.permanent("no"))
    new = Recorder()
    house.dispatch({"told": told, "dead": dead})
    house.found()
    result = house.dispatch({"told": told, "dead": dead, "new": new}, threshold=99)
    assert result.delivered == (f"told/{HIGH.id}/2.json",)
    assert told.sent[-1].payload["state"] == "withdrawn"
    assert (len(told.sent), len(dead.sent), new.sent) == (2, 1, [])


def test_a_calendar_mutes_what_begins_not_how_it_ends(house: DispatchHouse) -> None:
    muted = replace(HIGH, muted="sale")
    channel = Recorder()
    house.found(muted)
    house.dispatch({"a": channel})
    assert house.rows("state", "reason") == [("skipped", "muted: sale")]
    house.found(HIGH)
    house.dispatch({"a": channel})
    house.found(replace(muted, state=IncidentState.RESOLVED))
    house.dispatch({"a": channel})
    assert [change for change, _ in channel.keys] == [2, 3]


def test_what_is_muted_before_it_arrived_is_not_sent_later(house: DispatchHouse) -> None:
    channel = Recorder(Fails(BUSY))
    house.found(HIGH)
    house.dispatch({"a": channel})
    house.found(replace(HIGH, muted="sale"))
    house.clock.turn(hours=1)
    house.dispatch({"a": channel})
    assert house.states() == [(1, "superseded"), (2, "skipped")]
    assert len(channel.sent) == 1


@pytest.mark.parametrize("arrived", [True, False])
def test_who_was_told_hears_of_the_end_below_the_threshold_too(
    house: DispatchHouse, arrived: bool
) -> None:
    house.found(HIGH)
    outcome = Outcome.unknown("no answer") if arrived else Outcome.permanent("no")
    channel = Recorder(Fails(outcome, 1))
    house.dispatch({"a": channel})
    house.found(replace(HIGH, severity=30.0, state=IncidentState.RESOLVED))
    house.clock.turn(minutes=5)
    house.dispatch({"a": channel})
    assert [change for change, _ in channel.keys] == ([1, 2] if arrived else [1])


def test_security_hub_takes_each_change_as_newer_and_archives_what_is_over(
    house: DispatchHouse,
) -> None:
    history = [
        [HIGH],
        [replace(HIGH, severity=81.0)],
        [replace(HIGH, severity=81.0, state=IncidentState.RESOLVED)],
        [],
        [HIGH],
    ]
    channels = house.folders("security_hub")
    for change, incidents in enumerate(history, start=1):
        house.found(*incidents)
        assert house.dispatch(channels).delivered == (f"security_hub/{HIGH.id}/{change}.json",)
        house.found(*incidents)
        assert house.dispatch(channels).delivered == ()
    files = [house.files()[f"security_hub/{HIGH.id}/{change}.json"] for change in range(1, 6)]
    findings = [json.loads(content) for content in files]
    times = [finding["UpdatedAt"] for finding in findings]
    assert times == sorted(set(times))
    assert [finding["RecordState"] for finding in findings] == [
        *["ACTIVE", "ACTIVE", "ARCHIVED", "ARCHIVED", "ACTIVE"]
    ]
    assert not any({"Workflow", "Note", "VerificationState"} & set(one) for one in findings)
