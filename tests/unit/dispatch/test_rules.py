"""Who hears of a change: every condition of a rule, alone and together."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from dispatch_house import DispatchHouse, Recorder
from hypothesis import given
from hypothesis import strategies as st
from incidents import DAY_START, anomaly, incident

from bartizan.dispatch.controls.size import most_intervals
from bartizan.dispatch.rulebook import NO_CHANGE, Change, Quiet, Rule, Rulebook
from bartizan.dispatch.rules import route
from bartizan.dispatch.scope import Scope
from bartizan.model.anomaly import Direction, Incident, IncidentState
from bartizan.model.calendar_entries import CalendarEntries, Once, Recurring
from bartizan.model.stand import Stand
from bartizan.model.window import Window
from bartizan.store.incidents import IncidentChange
from bartizan.store.routing import Past, Route

NOW = datetime(2026, 11, 16, 12, tzinfo=UTC)
SHOP = incident([anomaly(3, {"webacl": "shop", "rule": "SQLi"}, severity=80)])
FRESH = Past(frozenset(), frozenset(), since=NOW)

shares = st.floats(0, 1000, allow_nan=False)
severities = st.floats(0, 100, allow_nan=False)
severity_bounds = st.none() | severities
positions = st.lists(st.integers(0, 40), min_size=1, max_size=8, unique=True)


def to(
    one: Incident,
    *rules: Rule,
    past: Past = FRESH,
    now: datetime = NOW,
    change: int = 1,
    quiet: tuple[Quiet, ...] = (),
    thresholds: Mapping[str, float] | None = None,
) -> Route:
    """The route of the incident to channel `a`."""
    book = Rulebook(rules or (Rule(),), quiet, thresholds or {})
    (found,) = route(IncidentChange(one, change, explained=True), past, ["a"], book, now)
    return found


def told(stand: Stand) -> Past:
    return Past(frozenset({"a"}), frozenset(), {"a": stand}, since=NOW)


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    among = draw(st.integers(1, 5))
    return Rule(
        channels=draw(st.sampled_from([None, frozenset({"a"}), frozenset({"b"})])),
        direction=draw(st.sampled_from([None, *Direction])),
        only=draw(st.sampled_from([(), (("webacl", ("sh*",)),), (("country", ("DE",)),)])),
        min_severity=draw(severity_bounds),
        min_change=Change(draw(shares), draw(shares)),
        intervals=draw(st.integers(1, among)),
        among=among,
        wait=timedelta(minutes=draw(st.integers(0, 60))),
        unacknowledged_for=timedelta(minutes=draw(st.integers(0, 60))),
        worse_by=draw(st.sampled_from([None, NO_CHANGE, Change(10, 10)])),
    )


@given(
    st.lists(rules(), max_size=4),
    positions,
    severities,
    st.sampled_from(IncidentState),
    st.booleans(),
    st.integers(0, 120),
)
def test_one_answer_for_each_channel_and_one_rule_that_tells_is_enough(
    book: list[Rule],
    places: list[int],
    severity: float,
    state: IncidentState,
    heard: bool,
    minutes: int,
) -> None:
    points = [anomaly(at, {"webacl": "shop"}, severity=severity) for at in places]
    one = replace(incident(points), state=state)
    past = Past(frozenset({"a"} if heard else ()), frozenset(), since=NOW)
    now = NOW + timedelta(minutes=minutes)

    def answer(*given_rules: Rule) -> Route:
        change = IncidentChange(one, 2, explained=True)
        (found,) = route(change, past, ["a"], Rulebook(given_rules), now)
        return found

    whole = answer(*book)
    assert whole.why
    alone = [answer(one).sends for one in book]
    if state is not IncidentState.OPEN and heard:
        assert whole.sends is True  # whatever the rules say
    elif True in alone:
        assert whole.sends is True
    else:
        assert whole.sends is (None if None in alone else False)
    if whole.sends is None:  # what is held is decided at last
        now += timedelta(hours=2)
        assert answer(*book).sends is not None


def test_nothing_is_told_before_it_is_explained_and_nothing_is_decided_twice() -> None:
    change = IncidentChange(SHOP, 1, explained=False)
    (found,) = route(change, FRESH, ["a"], Rulebook(), NOW)
    assert (found.sends, found.why) == (None, "not explained yet")
    decided = replace(FRESH, decided=frozenset({"a"}))
    assert [one.channel for one in route(change, decided, ["a", "b"], Rulebook(), NOW)] == ["b"]


@pytest.mark.parametrize("explained", [True, False])
def test_a_withdrawal_is_for_those_who_were_told(explained: bool) -> None:
    gone = IncidentChange(replace(SHOP, state=IncidentState.WITHDRAWN), 2, explained)
    past = Past(frozenset({"a"}), frozenset(), since=NOW)
    told_one, other = route(gone, past, ["a", "b"], Rulebook((Rule(min_severity=0),)), NOW)
    assert told_one.sends is (True if explained else None)
    assert (other.sends, other.why) == (False, "withdrawn, and it was never told here")


@pytest.mark.parametrize(
    ("scope", "why"),
    [
        (Scope(measures=("block*",)), ""),
        (Scope(measures=("allowed",)), "measure blocked is not listed"),
        (Scope(direction=Direction.BELOW), "it is above what was expected"),
        (Scope(only=(("webacl", ("api", "sh?p")),)), ""),
        (Scope(only=(("webacl", ("SHOP",)),)), "its values of webacl are left out"),
        (Scope(only=(("country", ("*",)),)), "its values of country are left out"),
        (Scope(without=(("rule", ("Geo*",)),)), ""),
        (Scope(without=(("rule", ("SQL*",)),)), "its values of rule are left out"),
        (Scope(without=(("country", ("*",)),)), ""),
        (
            Scope(only=(("webacl", ("shop",)),), without=(("rule", ("*",)),)),
            "its values of webacl, rule are left out",
        ),
    ],
)
def test_a_scope_covers_by_measure_direction_and_values(scope: Scope, why: str) -> None:
    assert scope.left_out(SHOP) == why
    found = to(SHOP, Rule(**vars(scope)))
    assert (found.sends is True) == (why == "")


def test_one_series_that_a_filter_leaves_is_enough() -> None:
    mixed = incident(
        [
            anomaly(3, {"webacl": "shop", "rule": "Geo"}),
            anomaly(3, {"webacl": "shop", "rule": "SQLi"}),
        ]
    )
    assert Scope(without=(("rule", ("Geo",)),)).left_out(mixed) == ""
    crossed = Scope(only=(("rule", ("SQLi",)),), without=(("rule", ("SQL*",)),))
    assert crossed.left_out(mixed)  # no one series is listed and not left out


def test_hostile_values_are_only_compared() -> None:
    for value in ("*", "[a", "a" * 100_000, "\u202e\x1b[31m<script>", "x\nshop"):
        one = incident([anomaly(3, {"webacl": value})])
        found = to(one, Rule(only=(("webacl", ("shop", "a*a*a*b")),)))
        assert (found.sends, found.why) == (False, "its values of webacl are left out")


@given(shares, shares, shares, shares)
def test_a_change_must_reach_both_limits(
    value: float, expected: float, absolute: float, percent: float
) -> None:
    one = replace(SHOP, value=value, expected=expected)
    least = Change(absolute, percent)
    enough = abs(value - expected) >= absolute and (
        abs(value - expected) * 100 >= percent * expected
    )
    assert (to(one, Rule(min_change=least)).sends is True) == enough


def test_a_value_without_an_expected_one_counts_whole() -> None:
    new = replace(SHOP, value=50.0, expected=math.nan)
    assert to(new, Rule(min_change=Change(50, 100))).sends is True
    assert to(new, Rule(min_change=Change(51, 0))).sends is False


@given(positions, st.integers(1, 6))
def test_intervals_in_a_row_are_counted_as_by_hand(places: list[int], among: int) -> None:
    points = [anomaly(at, {"webacl": name}) for at in places for name in ("shop", "blog")]
    slides = range(min(places) - among, max(places) + 1)
    by_hand = max(len(set(places) & set(range(first, first + among))) for first in slides)
    assert most_intervals(incident(points), among) == by_hand


def test_the_first_message_needs_n_of_m_intervals_and_updates_do_not() -> None:
    rule = Rule(intervals=2, among=3)
    one, apart, near = (
        incident([anomaly(at, {"webacl": "shop"}) for at in places])
        for places in ((1,), (1, 4), (1, 3))
    )
    assert [to(each, rule).sends for each in (one, apart, near)] == [False, False, True]
    assert to(one, rule).why == "anomalous in 1 of 3 intervals, not 2"
    assert to(one, rule, past=Past(frozenset({"a"}), frozenset())).sends is True


@pytest.mark.parametrize(
    ("now", "sends"),
    [
        ({"severity": 85.0}, False),
        ({"severity": 90.0}, True),  # HIGH becomes CRITICAL
        ({"severity": 60.0}, False),
        ({"value": 219.0}, False),  # 214 has grown to 219
        ({"value": 330.0}, True),
        ({"value": 6.0}, False),
        ({"asks_new_normal": True}, True),
        ({"severity": 60.0, "state": IncidentState.RESOLVED}, True),
    ],
)
def test_an_update_is_told_when_it_is_worse(now: dict[str, object], sends: bool) -> None:
    before = replace(SHOP, value=220.0, expected=6.0)
    rule = Rule(min_severity=50, worse_by=Change(100, 50))
    found = to(replace(before, **now), rule, past=told(Stand.of(before)), change=2)
    assert found.sends is sends
    assert to(replace(before, **now), Rule(min_severity=50), past=told(Stand.of(before))).sends


def test_without_limits_only_a_level_is_worse() -> None:
    before = Stand.of(SHOP)
    rule = Rule(worse_by=NO_CHANGE)
    assert to(replace(SHOP, value=1e9), rule, past=told(before)).sends is False
    assert to(replace(SHOP, severity=95.0), rule, past=told(before)).sends is True
    assert to(SHOP, rule).sends is True  # the first message is no update


def night(**options: object) -> Quiet:
    """22:00 to 06:00 in Berlin."""
    entry = Recurring(
        "FREQ=DAILY;BYHOUR=22;BYMINUTE=0;BYSECOND=0",
        datetime(2000, 1, 1),
        timedelta(hours=8),
        "night",
    )
    times = CalendarEntries("Europe/Berlin", muted=(entry,))
    return Quiet(why="night", times=times, **options)  # type: ignore[arg-type]


def test_a_quiet_night_follows_the_clock_of_its_zone() -> None:
    for day in (datetime(2026, 7, 1), datetime(2026, 12, 1), datetime(2026, 10, 25)):
        for hour in range(24):
            wall = day.replace(hour=hour, tzinfo=ZoneInfo("Europe/Berlin"))
            start = wall.astimezone(UTC)
            point = replace(SHOP.anomalies[0], interval=Window(start, start + timedelta(minutes=5)))
            one = replace(SHOP, anomalies=(point,), window=point.interval)
            found = to(one, quiet=(night(min_severity=90.0),))
            assert found.sends is (6 <= hour < 22)
            assert to(replace(one, severity=90.0), quiet=(night(min_severity=90.0),)).sends
    assert found.why == "quiet, night: severity 80.00 is below 90"


def test_maintenance_mutes_only_what_lies_in_it_and_in_its_scope() -> None:
    window = Window(DAY_START, DAY_START + timedelta(hours=1))
    times = CalendarEntries(muted=(Once(window, "move"),))
    inside = incident([anomaly(at, {"webacl": "shop"}) for at in (3, 11)])
    beyond = incident([anomaly(at, {"webacl": "shop"}) for at in (3, 12)])
    quiet = Quiet(why="move", times=times, only=(("webacl", ("shop",)),))
    assert to(inside, quiet=(quiet,)).why == "quiet, move"
    assert to(beyond, quiet=(quiet,)).sends is True
    elsewhere = replace(quiet, only=(("webacl", ("blog",)),))
    assert to(inside, quiet=(elsewhere,)).sends is True
    ended = replace(inside, state=IncidentState.RESOLVED)
    assert to(ended, quiet=(quiet,)).sends is False
    assert to(ended, quiet=(quiet,), past=told(Stand.of(inside))).sends is True


def test_what_waits_is_told_once_it_has_waited(tmp_path: Path) -> None:
    """Grouping: the first message waits and then tells the incident as it is by then."""
    house, channel, other = DispatchHouse(tmp_path), Recorder(), Recorder()
    first = replace(SHOP, severity=80.0)
    waits = (
        Rule(channels=frozenset({"a"}), wait=timedelta(minutes=10)),
        Rule(channels=frozenset("b")),
    )
    house.found(first)
    house.dispatch({"a": channel, "b": other}, rules=waits)
    assert (channel.keys, len(other.keys)) == ([], 1)
    house.clock.turn(minutes=6)
    house.found(replace(first, severity=85.0))
    house.dispatch({"a": channel, "b": other}, rules=waits)
    assert (channel.keys, len(other.keys)) == ([], 2)
    house.clock.turn(minutes=3)
    house.dispatch({"a": channel, "b": other}, rules=waits)
    assert channel.keys == []
    house.clock.turn(minutes=1)
    for _ in range(2):
        house.dispatch({"a": channel, "b": other}, rules=waits)
    assert channel.keys == [(2, first.id)]
    assert len(other.keys) == 2  # and nobody else hears of it again


def test_updates_that_are_not_worse_are_on_record_and_measured_from_what_arrived(
    tmp_path: Path,
) -> None:
    house, channel = DispatchHouse(tmp_path), Recorder()
    rule = (Rule(worse_by=Change(absolute=100)),)
    for value in (120.0, 170.0, 215.0, 221.0, 260.0):
        house.found(replace(SHOP, value=value))
        house.dispatch({"a": channel}, rules=rule)
    assert [change for change, _ in channel.keys] == [1, 4]  # 114 from the expected 6, then 215
    reasons = [why for state, why in house.rows("state", "reason") if state == "skipped"]
    assert reasons[0] == "not worse than told: HIGH and 120 instead of 6"
    assert reasons[-1] == "not worse than told: HIGH and 221 instead of 6"
