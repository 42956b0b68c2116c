"""Late records: their hours, and no others, are announced once more, up to a bound."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from landing_house import START, House
from waf_logs import lines, record, write_object

from bartizan import jobs
from bartizan.model.window import DAY, HOUR, Window
from bartizan.store.aggregates import mark_built, pending_hours
from bartizan.store.landing import load_batch

BOUND = timedelta(days=2)


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def deliver(house: House, name: str, delivered: datetime | None, *hours: float) -> None:
    """An object with one request at each of the times, in hours from the start."""
    numbers = (round(hour * 3600) for hour in hours)
    write_object(house.source, name, lines(record(number) for number in numbers), delivered)


def announced(house: House) -> list[datetime]:
    """What a reader downstream has to build, which it then does."""
    pending = pending_hours(house.store, "any")
    mark_built(house.store, "any", pending)
    return list(pending)


@pytest.mark.parametrize("delay", [HOUR, DAY, 30 * DAY])
def test_only_the_hours_of_late_records_are_announced_and_once(
    house: House, delay: timedelta
) -> None:
    deliver(house, "first", START + 4 * HOUR, 0, 1, 2, 3)
    house.land()
    assert announced(house) == [START + hour * HOUR for hour in range(4)]
    assert announced(house) == []

    # What is late repeats a record of hour 3, which therefore does not change.
    deliver(house, "late", START + 4 * HOUR + delay, 0.5, 2.5, 3)
    report = house.land()
    assert (report.counts.requests, report.counts.duplicates) == (2, 1)
    assert announced(house) == [START, START + 2 * HOUR]

    assert house.land().hours == ()
    assert announced(house) == []


def test_hours_beyond_the_bound_receive_their_rows_and_are_not_announced(house: House) -> None:
    last = START + BOUND + HOUR  # of hour 0 in time; of earlier ones too late
    deliver(house, "in-time", last, 0, 40)
    deliver(house, "too-late", last + timedelta(minutes=5), 0.5, 0.75, 1.5, 40)
    report = house.land(latest_reopen=BOUND)
    assert announced(house) == [START, START + HOUR, START + 40 * HOUR]  # one was in time
    assert report.closed == ()

    deliver(house, "later", last + 2 * HOUR, 0.1, 0.2, 1.1, 2.1)
    report = house.land(latest_reopen=BOUND)
    assert announced(house) == [START + 2 * HOUR]
    assert report.closed == (("2026-11-04T00:00:00Z", 2), ("2026-11-04T01:00:00Z", 1))
    assert report.as_json()["closed"][0] == {"hour": "2026-11-04T00:00:00Z", "requests": 2}
    assert report.counts.requests == 4
    assert house.rows("waf.requests").total() == 5 + 4
    assert house.land(latest_reopen=BOUND).closed == ()


@pytest.mark.parametrize(("latest", "delivered"), [(None, START + 900 * DAY), (BOUND, None)])
def test_without_a_bound_or_a_time_of_delivery_every_hour_is_announced(
    house: House, latest: timedelta | None, delivered: datetime | None
) -> None:
    deliver(house, "old", delivered, 0, 5)
    report = house.land(latest_reopen=latest)
    assert announced(house) == [START, START + 5 * HOUR]
    assert report.closed == ()


def test_the_hourly_run_looks_back_over_a_day(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BARTIZAN_HOME", str(house.root))
    for name in ("SOURCE", "LAKE", "STORE"):
        monkeypatch.delenv(f"BARTIZAN_{name}", raising=False)
    for hours in (0, 1, 24, 25, 26, 27):
        deliver(house, f"back-{hours}", START + 2 * DAY - hours * HOUR, 0)
    [batch_id] = jobs.plan_landing([Window.hour(START + 2 * DAY)])
    names = {
        Path(item.uri).name.split(".")[0] for item in load_batch(house.store, batch_id).objects
    }
    assert names == {"back-0", "back-1", "back-24", "back-25"}
