"""What Bartizan says of itself, and what it does not say too early or too often."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest
from dispatch_house import HIGH, DispatchHouse, Recorder
from hypothesis import given
from hypothesis import strategies as st

from bartizan import jobs
from bartizan.dispatch.channels.base import Outcome
from bartizan.dispatch.health import check_health
from bartizan.dispatch.health_checks import DUE_AFTER, behind, incomplete_logs, without_logs
from bartizan.dispatch.series import series_of
from bartizan.model.anomaly import Incident, IncidentState
from bartizan.model.connector import Connector, Measure
from bartizan.model.health import HEALTH
from bartizan.model.landing import Batch, BatchState, LogObject
from bartizan.model.story import headline
from bartizan.model.window import HOUR, format_time
from bartizan.overview_text import described
from bartizan.store.detectors import DetectorRecord, DetectorStatus, save_detector
from bartizan.store.incidents import load_incidents
from bartizan.store.intel_drift import Drift, save_drift
from bartizan.store.landing import add_batches, finish, set_state
from bartizan.store.outbox import retry

MIDNIGHT = datetime(2026, 11, 17, tzinfo=UTC)
LATE = timedelta(hours=3)
SQL = Connector("sales", "", HOUR, HOUR, "t", (), (Measure("n"),), "", engine="athena")


@pytest.fixture
def house(tmp_path: Path) -> DispatchHouse:
    return DispatchHouse(tmp_path)


def landed(house: DispatchHouse, *hours: int) -> None:
    batch = Batch.of([LogObject(f"s3://logs/{hours}", "1", 1)])
    add_batches(house.store, [batch])
    finish(house.store, batch, [MIDNIGHT + hour * HOUR for hour in hours])


def check(house: DispatchHouse, hours: float, *connectors: Connector) -> list[Incident]:
    """The health incidents so many hours after midnight."""
    house.clock.now = MIDNIGHT + hours * HOUR
    check_health(house.store, {one.name: one for one in connectors}, house.clock.now, LATE)
    return [one.incident for one in load_incidents(house.store, detector=HEALTH)]


@given(st.integers(0, 6 * 60))
def test_an_hour_that_is_not_due_is_not_missed(minutes: int) -> None:
    """After the first two hours no log comes: the third is missed once two more are due too."""
    now = MIDNIGHT + 2 * HOUR + timedelta(minutes=minutes)
    found = list(without_logs([MIDNIGHT, MIDNIGHT + HOUR], now, LATE))
    whole = (now - DUE_AFTER - MIDNIGHT) // HOUR - 2
    assert [one.value for one in found] == ([float(whole)] if whole >= 3 else [])


def test_before_the_first_log_and_without_any_nothing_is_missed(house: DispatchHouse) -> None:
    assert check(house, 100) == []
    landed(house, 99)
    assert check(house, 101) == []


def test_one_incident_while_logs_are_late_and_its_end_when_they_come(
    house: DispatchHouse,
) -> None:
    channel, told = Recorder(), []
    landed(house, 0, 1)
    for hours in (3, 5.9, 6, 7, 9, 13, 14):
        found = check(house, hours)
        house.dispatch({"a": channel})
        told.append(len(channel.keys))
        assert len(found) == (hours >= 6)
    assert told == [0, 0, 1, 1, 2, 2, 2]  # 3 hours, and again at 6, twice as many
    (one,) = check(house, 14)
    assert (one.window.start, one.value) == (MIDNIGHT + 2 * HOUR, 11.0)
    assert headline(one) == "Hours without logs 11 where 0 is usual"
    landed(house, 2, 3, 4)  # the rest is still missing: the same incident
    (one,) = check(house, 14)
    assert one.state is IncidentState.OPEN
    landed(house, *range(5, 13))
    (one,) = check(house, 14)
    house.dispatch({"a": channel})
    assert one.state is IncidentState.RESOLVED
    assert len({key for _, key in channel.keys}) == 1
    assert channel.sent[-1].payload["state"] == "resolved"
    assert check_health(house.store, {}, house.clock.now, LATE) == []


def test_what_a_channel_gives_up_is_told_on_the_others_once(house: DispatchHouse) -> None:
    down, up = Recorder(lambda one: Outcome.permanent("HTTP 410: gone")), Recorder()
    channels = {"down": down, "up": up}
    house.found(HIGH)
    house.dispatch(channels)
    for _ in range(3):
        (one,) = check(house, 12)
        house.dispatch(channels)
    assert one.anomalies[0].dimensions == (("channel", "down"),)
    assert [key for _, key in up.keys] == [HIGH.id, one.id]
    assert [key for _, key in down.keys] == [HIGH.id]
    assert ("it is about this channel",) in house.rows("reason")
    down.answer = lambda one: Outcome.delivered("yes")
    retry(house.store, None, house.clock.now)
    house.dispatch(channels)
    (one,) = check(house, 13)
    assert one.state is IncidentState.RESOLVED
    house.dispatch(channels)
    assert up.sent[-1].payload["state"] == "resolved"


def test_a_message_about_our_health_that_is_given_up_is_no_trouble_of_its_own(
    house: DispatchHouse,
) -> None:
    landed(house, 0)
    check(house, 10)
    house.dispatch({"a": Recorder(lambda one: Outcome.permanent("no"))})
    assert house.states() == [(1, "dead")]
    assert len(check(house, 10)) == 1


def test_failed_detectors_and_rejected_batches(house: DispatchHouse) -> None:
    batch = Batch.of([LogObject("s3://logs/bad", "1", 1)])
    add_batches(house.store, [batch])
    rejected = set_state(house.store, batch, BatchState.REJECTED, "too many nulls")
    save_detector(house.store, DetectorRecord("sales", DetectorStatus.FAILED, "no such column"))
    found = check(house, 12, SQL)
    assert sorted(map(headline, found)) == [
        "Failed detectors 1 where 0 is usual: detector sales",
        "Rejected batches 1 where 0 is usual",
    ]
    set_state(house.store, rejected, BatchState.STAGED)
    states = {one.measure: one.state.value for one in check(house, 20, SQL)}
    assert states == {"failed_detectors": "open", "rejected_batches": "resolved"}


def test_a_detector_of_another_source_is_late_only_when_its_interval_is() -> None:
    record = DetectorRecord("sales", DetectorStatus.ACTIVE, scored_through=format_time(MIDNIGHT))

    def late(hours: float, one: Connector = SQL, state: str = "ACTIVE") -> list[float]:
        records = {"sales": replace(record, state=DetectorStatus(state))}
        return [f.value for f in behind(records, {"sales": one}, MIDNIGHT + hours * HOUR, LATE)]

    # An hour long, an hour of offset, an hour to do it, and then three.
    assert (late(5.9), late(6), late(9)) == ([], [3.0], [6.0])
    assert late(27, replace(SQL, frequency=timedelta(days=1))) == []
    assert late(99, state="DEACTIVATED") == []
    assert late(99, replace(SQL, engine="duckdb")) == []  # its logs are what is late


def test_hours_that_were_not_logged_whole_are_named_by_web_acl() -> None:
    arn = "arn:aws:wafv2:eu-central-1:111122223333:regional/webacl/shop/4f"
    (one,) = incomplete_logs({arn: [MIDNIGHT, MIDNIGHT + 5 * HOUR]})
    assert one.dimensions == (("webacl", "shop"),)
    assert [window.start for window in one.windows] == [MIDNIGHT, MIDNIGHT + 5 * HOUR]


def test_status_counts_messages_by_state_and_names_trouble(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "lake").mkdir()
    house = DispatchHouse(tmp_path / "lake")
    house.found(HIGH)
    house.dispatch({"a": Recorder(lambda one: Outcome.permanent("no")), "b": Recorder()})
    check(house, 12)
    monkeypatch.setenv("BARTIZAN_HOME", str(tmp_path))
    seen = jobs.status()
    assert seen.messages == {"a": {"dead": 1}, "b": {"delivered": 1}}
    lines = list(described(seen))
    assert "    a: 1 given up, see `bartizan outbox list --state dead`" in lines
    assert not any(line.startswith("    b: ") for line in lines)
    assert any("Dead messages 1 where 0 is usual: channel a, since" in line for line in lines)


def test_an_ip_set_that_others_changed_is_told_address_by_address_for_a_day(
    house: DispatchHouse,
) -> None:
    theirs, ours = map(ip_network, ("203.0.113.99/32", "198.51.100.1/32"))
    seen = Drift("shop-v4", MIDNIGHT + HOUR / 2, (theirs,), (ours,))
    save_drift(house.store, seen, [theirs], "respond_expire")
    assert check(house, -1) == []
    (one,) = check(house, 1)
    assert headline(one) == "Addresses changed by others 2 where 0 is usual: ip_set shop-v4"
    assert [series.dimensions[1:] for series in series_of(one)] == [
        (),
        (("edit", "put in"), ("address", "203.0.113.99/32")),
        (("edit", "taken out"), ("address", "198.51.100.1/32")),
    ]
    again = replace(seen, at=MIDNIGHT + 3 * HOUR, gone=())
    save_drift(house.store, again, [theirs], "respond_expire")
    (same,) = check(house, 4)
    assert (same.id, same.value, same.state) == (one.id, 3, IncidentState.OPEN)
    (over,) = check(house, 28)
    assert (over.id, over.state) == (one.id, IncidentState.RESOLVED)
