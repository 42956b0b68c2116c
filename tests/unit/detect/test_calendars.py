"""Time zones, clock changes, and times that a connector's calendar says are not usual."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from upath import UPath

from bartizan.config import store_in
from bartizan.crawl.config import read_description
from bartizan.detect.calendar import Calendar
from bartizan.detect.group import find_groups
from bartizan.detect.learn import learn
from bartizan.detect.notice import noticed
from bartizan.detect.replay import replay
from bartizan.detect.run import learn_for
from bartizan.detect.score import score
from bartizan.detect.special import excluded
from bartizan.dispatch.rulebook import Rulebook
from bartizan.dispatch.rules import route
from bartizan.errors import ConfigError
from bartizan.model.anomaly import Incident, IncidentState
from bartizan.model.calendar_entries import CalendarEntries, Once
from bartizan.model.connector import Aggregation, Connector, Measure, Missing
from bartizan.model.feedback import Feedback, FeedbackKind
from bartizan.model.recurrence import occurrences
from bartizan.model.story import story
from bartizan.model.window import DAY, HOUR, Window, naive
from bartizan.store import Store
from bartizan.store.incidents import IncidentChange
from bartizan.store.routing import Past

START = datetime(2026, 9, 7, tzinfo=UTC)
COUNTS = Connector("jobs", "", HOUR, timedelta(), "timestamp", ("site",), (Measure("runs"),), "")
GAUGE = replace(COUNTS, measures=(Measure("runs", Aggregation.AVG, Missing.GAP),))
NONE = FeedbackKind.NONE
SALE = Window(START + 30 * DAY, START + 31 * DAY)


def rows(values: np.ndarray, start: datetime, step: timedelta = HOUR) -> pd.DataFrame:
    times = np.datetime64(naive(start), "us") + np.arange(len(values)) * np.timedelta64(step, "us")
    return pd.DataFrame({"interval_start": times, "site": "a", "runs": values.astype(float)})


def rush_at_nine(start: datetime, hours: int, zone: str) -> np.ndarray:
    """About 40 an hour, and 400 in the hour of a job that runs at 09:00 of the zone."""
    rng = np.random.default_rng(5)
    times = [start + hour * HOUR for hour in range(hours)]
    rush = np.array([time.astimezone(ZoneInfo(zone)).hour == 9 for time in times])
    return rng.poisson(np.where(rush, 400, 40))


@pytest.mark.parametrize("connector", [COUNTS, GAUGE])
@pytest.mark.parametrize(
    ("zone", "change"),
    [
        ("Europe/Berlin", datetime(2026, 3, 29, tzinfo=UTC)),
        ("Europe/Berlin", datetime(2026, 10, 25, tzinfo=UTC)),
        ("America/New_York", datetime(2026, 11, 1, tzinfo=UTC)),
    ],
)
def test_a_job_at_nine_is_expected_at_nine_when_clocks_change(
    connector: Connector, zone: str, change: datetime
) -> None:
    start = change - 28 * DAY
    frame = rows(rush_at_nine(start, 31 * 24, zone), start)
    live = Window(change - DAY, change + 3 * DAY)

    def found(timezone: str) -> list[Incident]:
        mine = replace(connector, calendar=CalendarEntries(timezone))
        state = learn(frame, mine, Window(start, live.start))
        return find_groups(replay(state, frame, mine, live)[0], mine, mine.alert_threshold)

    assert found(zone) == []
    told = {one.window.start.date() for one in found("UTC")}
    assert change.date() in told
    assert min(told) == change.date()


@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)),
    st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata"]),
    st.sampled_from([timedelta(minutes=5), HOUR, DAY]),
)
def test_hours_and_weekdays_are_those_of_the_zone(
    instant: datetime, zone: str, frequency: timedelta
) -> None:
    start = np.datetime64(instant.replace(hour=0, minute=0, second=0, microsecond=0), "us")
    times = start + np.arange(300) * np.timedelta64(frequency, "us")
    calendar = Calendar.of(times, frequency, zone)
    middle = frequency / 2 if frequency == DAY else timedelta()
    walls = [(t.replace(tzinfo=UTC) + middle).astimezone(ZoneInfo(zone)) for t in times.tolist()]
    assert calendar.weekday.tolist() == [wall.weekday() for wall in walls]
    assert calendar.hour.tolist() == [0 if frequency == DAY else wall.hour for wall in walls]
    assert (np.diff(calendar.number) == 1).all()


def test_a_state_of_another_zone_is_learned_again(tmp_path: Path) -> None:
    store, folder = Store.open(store_in(tmp_path)), tmp_path / "metrics" / "jobs" / "backtest"
    folder.mkdir(parents=True)
    frame = rows(rush_at_nine(START, 20 * 24, "Europe/Berlin"), START)
    frame = frame.rename(columns={"interval_start": "timestamp"})
    frame.to_csv(folder / "all.csv", index=False, date_format="%Y-%m-%d %H:%M:%S")
    berlin = replace(COUNTS, calendar=CalendarEntries("Europe/Berlin"))
    for connector in (COUNTS, berlin, berlin, COUNTS):
        state = learn_for(store, tmp_path, UPath(tmp_path / "metrics"), connector, START + 20 * DAY)
        assert state is not None
        (part,) = state.measures["runs"].parts
        busiest = part.model.profile[0, 0].argmax()
        assert (state.timezone, busiest) == (
            connector.calendar.timezone,
            9 if connector is berlin else 7,
        )
    with pytest.raises(ConfigError, match="learn again"):
        state.check(berlin)
    store.engine.dispose()


def with_a_sale() -> pd.DataFrame:
    """Forty days of about 40 runs an hour; on the 31st day ten times as many."""
    values = np.random.default_rng(6).poisson(40, 40 * 24)
    values[30 * 24 : 31 * 24] *= 10
    return rows(values, START)


def closed(connector: Connector) -> Connector:
    return replace(connector, calendar=CalendarEntries(excluded=(Once(SALE, "sale"),)))


@pytest.mark.parametrize("connector", [COUNTS, GAUGE])
def test_what_is_excluded_is_shown_and_neither_judged_nor_learned(connector: Connector) -> None:
    frame, live = with_a_sale(), Window(START + 29 * DAY, START + 33 * DAY)
    sold = frame["interval_start"].between(naive(SALE.start), naive(SALE.end), inclusive="left")
    undelivered = frame[~sold]
    before = Window(START, live.start)
    mine = closed(connector)
    scores = replay(learn(frame, mine, before), frame, mine, live)[0]
    sale = scores[scores["reason"] == "excluded"]
    assert len(sale) == 24
    assert sale["severity"].isna().all()
    assert (sale["direction"] == "").all()
    assert sale["value"].sum() == frame["runs"][30 * 24 : 31 * 24].sum()
    assert sale["expected"].between(30, 50).all()
    # Everything else is what it would be had nothing been delivered meanwhile.
    state = learn(undelivered, connector, before)
    without = replay(state, undelivered, connector, live)[0]
    rest = scores[scores["reason"] != "excluded"].reset_index(drop=True)
    pd.testing.assert_frame_equal(rest, without)
    assert find_groups(scores, mine, 70.0) == []
    open_state = learn(frame, connector, before)
    usual = find_groups(replay(open_state, frame, connector, live)[0], connector, 70.0)
    assert usual[0].window.start == SALE.start


def test_a_series_first_seen_in_an_excluded_range_is_no_alarm() -> None:
    frame = with_a_sale()
    new = rows(np.full(24, 5000), SALE.start).assign(site="b")
    mine, before = closed(COUNTS), Window(START, SALE.start)
    both = pd.concat([frame, new])
    judged = score(learn(frame, mine, before), both, mine, SALE)
    assert set(judged["reason"]) == {"excluded"}
    assert judged["value"].max() == 5000
    assert len(find_groups(score(learn(frame, COUNTS, before), both, COUNTS, SALE), COUNTS, 70))


def test_an_incident_is_muted_only_while_all_of_it_is() -> None:
    frame = with_a_sale()
    scores = score(
        learn(frame, COUNTS, Window(START, SALE.start)),
        frame,
        COUNTS,
        Window(SALE.start, SALE.end + DAY),
    )
    incident = find_groups(scores, COUNTS, 70.0)[0]
    assert incident.window.end <= SALE.end

    def muted(end: datetime) -> Incident:
        calendar = CalendarEntries(muted=(Once(Window(SALE.start, end), "sale <b>"),))
        mine = replace(COUNTS, calendar=calendar)
        return noticed(incident, mine, SALE.end, nothing_known, ())

    assert muted(SALE.end).muted == "sale <b>"
    assert "Muted by the calendar: sale <b>." in story(muted(SALE.end))
    assert muted(incident.window.end - HOUR).muted == ""

    def told(one: Incident, *heard: str) -> list[bool | None]:
        past = Past(frozenset(heard), frozenset())
        change = IncidentChange(one, 2, explained=True)
        routes = route(change, past, ("slack", "email"), Rulebook(), SALE.end)
        return [to.sends for to in routes]

    assert told(muted(SALE.end)) == [False, False]
    ended = replace(muted(SALE.end), state=IncidentState.RESOLVED)
    assert told(ended, "slack") == [True, False]  # it hears how it ends
    assert told(muted(incident.window.end - HOUR)) == [True, True]
    nothing = excluded(scores[["site"]], scores["interval_start"].to_numpy(), COUNTS)
    assert nothing.series == nothing.intervals == ()


def nothing_known(measure: str, window: Window) -> None:
    raise AssertionError(f"{measure} in {window} was asked for")


YAML = """\
description: runs
frequency: PT1H
timestamp: {column: timestamp}
measures: [{name: runs}]
source: {history: /nowhere}
calendar:
"""


@pytest.fixture
def described(tmp_path: Path) -> Callable[[str], Connector]:
    def read(calendar: str) -> Connector:
        (tmp_path / "connector.yaml").write_text(YAML + calendar)
        return read_description(tmp_path / "connector.yaml", "jobs")

    return read


def test_entries_are_wall_time_of_the_zone(described: Callable[[str], Connector]) -> None:
    calendar = described("""\
  timezone: Europe/Berlin
  exclude:
    - {start: 2026-12-24, end: "2026-12-24T18:30", why: before Christmas}
    - {rrule: FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=25, duration: PT48H, why: Christmas}
  mute:
    - {rrule: FREQ=WEEKLY;BYDAY=SU, duration: PT24H, why: Sunday}
""").calendar
    december = Window(datetime(2026, 12, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))
    times = [one.window for one in occurrences(calendar.excluded, calendar.timezone, december)]
    assert times == [
        Window.parse("2026-12-23T23:00Z", "2026-12-24T17:30Z"),
        Window.parse("2026-12-24T23:00Z", "2026-12-26T23:00Z"),
    ]
    year = Window.parse("2026-01-01T00:00Z", "2026-12-31T00:00Z")
    sundays = [one.window for one in occurrences(calendar.muted, calendar.timezone, year)]
    zone = ZoneInfo("Europe/Berlin")
    ends = [(one.start.astimezone(zone), one.end.astimezone(zone)) for one in sundays]
    assert {(a.weekday(), a.hour, b.weekday(), b.hour) for a, b in ends} == {(6, 0, 0, 0)}
    hours = [(one.end - one.start) / HOUR for one in sundays]
    assert (len(hours), hours.count(23), hours.count(24), hours.count(25)) == (52, 1, 50, 1)


@pytest.mark.parametrize(
    ("calendar", "key", "value"),
    [
        ("  timezone: Berlin", "calendar.timezone", "'Berlin'"),
        ("  exclude: [{start: 2026-12-24, why: x}]", "calendar.exclude[0]", "'x'"),
        ("  exclude: [{start: soon, end: 2026-12-24, why: x}]", "exclude[0].start", "'soon'"),
        ("  exclude: [{start: 2026-12-24, end: 2026-12-23, why: x}]", "calendar", "'x'"),
        ("  mute: [{rrule: FREQ=HOURLY, duration: PT1H, why: x}]", "mute[0]", "FREQ=HOURLY"),
        ("  mute: [{rrule: FREQ=DAILY;BYX=1, duration: PT1H, why: x}]", "mute[0]", "BYX"),
        ("  mute: [{rrule: FREQ=DAILY;INTERVAL=2, duration: PT1H, why: x}]", "mute[0]", "INTERVAL"),
        ("  mute: [{rrule: FREQ=DAILY, duration: 1h, why: x}]", "mute[0].duration", "'1h'"),
        ("  mute: [{start: 2026-12-24, end: 2026-12-25}]", "mute[0].why", "missing"),
        ("  mutes: []", "calendar.mutes", "unknown key"),
    ],
)
def test_a_wrong_entry_is_one_line_with_key_and_value(
    described: Callable[[str], Connector], calendar: str, key: str, value: str
) -> None:
    with pytest.raises(ConfigError) as wrong:
        described(calendar + "\n")
    text = str(wrong.value)
    assert "connector.yaml: " in text
    assert key in text
    assert value in text
    assert "\n" not in text


def test_a_level_that_stays_is_asked_about_and_a_burst_is_not() -> None:
    """The detector learns the level within the day: its incident is over long before."""
    rng = np.random.default_rng(8)
    usual = rng.poisson(40 + 20 * np.sin(np.arange(35 * 24) / 24 * 2 * np.pi))
    begins = START + 28 * DAY + 10 * HOUR
    first = 28 * 24 + 10

    def incident(factor: int, hours: int) -> tuple[Incident, pd.DataFrame]:
        values = usual.copy()
        values[first : first + hours] *= factor
        frame = rows(values, START)
        live = Window(START + 21 * DAY, START + 35 * DAY)
        scores = replay(learn(frame, COUNTS, Window(START, live.start)), frame, COUNTS, live)[0]
        (found, *_) = find_groups(scores, COUNTS, COUNTS.alert_threshold)
        assert begins <= found.window.start < begins + 3 * HOUR
        assert found.window.end < begins + DAY
        return found, scores

    def asks(found: Incident, scores: pd.DataFrame, through: datetime, *said: Feedback) -> bool:
        def stored(measure: str, window: Window) -> pa.Table:
            inside = scores["interval_start"].between(
                naive(window.start), naive(window.end), inclusive="left"
            )
            return pa.Table.from_pandas(scores[inside], preserve_index=False)

        return noticed(found, COUNTS, through, stored, said).asks_new_normal

    stays, burst = incident(3, 7 * 24), incident(8, 6)
    due = stays[0].window.start + 48 * HOUR
    assert not asks(*stays, due - HOUR)
    assert asks(*stays, due)
    assert not asks(*burst, due + 4 * HOUR)
    answer = Feedback(
        stays[0].id, 1, "jobs", "runs", stays[0].direction, FeedbackKind.CONFIRMED, None, "", "",
        due, due, (), begins, 3.0, 80.0,
    )  # fmt: skip
    assert not asks(*stays, due, answer)
    assert asks(*stays, due, replace(answer, until=due), replace(answer, number=2, kind=NONE))
    asked = noticed(stays[0], replace(COUNTS, ask_after=HOUR), due, nothing_known, ())
    assert asked.asks_new_normal  # it went on for that long
    assert f"bartizan feedback give {asked.id} --kind new_normal" in story(asked)
    assert "new normal" not in story(stays[0])
