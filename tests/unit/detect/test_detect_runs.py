"""Incidents over time: what is stored after windows were scored in any order, or again."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from upath import UPath

from bartizan.config import store_in
from bartizan.detect.run import DetectResult, detect, learn_for
from bartizan.detect.scores import save_scores
from bartizan.model.anomaly import Incident, IncidentState
from bartizan.model.connector import Connector, Measure
from bartizan.model.window import DAY, HOUR, Window, naive
from bartizan.store import Store
from bartizan.store.detectors import DetectorStatus, load_detector
from bartizan.store.incidents import load_incidents

START = datetime(2026, 11, 2, tzinfo=UTC)
FIVE = timedelta(minutes=5)
CONNECTOR = Connector(
    "blocked", "", FIVE, timedelta(), "timestamp", ("webacl",), (Measure("count"),), ""
)
HOURLY = replace(CONNECTOR, frequency=HOUR)
HEADER = "timestamp,webacl,count\n"


class Bench:
    """A store, and folders for scores and metrics."""

    def __init__(self, folder: Path, connector: Connector = CONNECTOR) -> None:
        self.store = Store.open(store_in(folder))
        self.root = folder
        self.metrics = UPath(folder / "metrics")
        self.connector = connector

    def run(self, window: Window, severities: Mapping[int, float]) -> DetectResult:
        """Detect over scores given by interval number since START; the others are calm.

        There are no metrics, so nothing is learned, and the scores stay as they are given.
        """
        for day in window.pieces(DAY):
            self._save(day, severities)
        return self.detect(window)

    def detect(self, *windows: Window) -> DetectResult:
        return detect(self.store, self.root, self.metrics, self.connector, windows)

    def incidents(self) -> list[tuple[Incident, IncidentState]]:
        known = load_incidents(self.store)
        return [(one.incident, one.incident.state) for one in known]

    def spans(self) -> list[tuple[Window, IncidentState]]:
        return [(incident.window, state) for incident, state in self.incidents()]

    def _save(self, day: Window, severities: Mapping[int, float]) -> None:
        step = self.connector.frequency
        starts = [part.start for part in day.split(step)]
        found = [severities.get(round((start - START) / step), 5.0) for start in starts]
        frame = pd.DataFrame({"interval_start": pd.to_datetime([naive(s) for s in starts])})
        frame = frame.assign(
            webacl="shop", measure="count", value=9.0, expected=2.0, lower=0.0, upper=5.0
        )
        frame = frame.assign(severity=found, direction="above", reason="spike")
        save_scores(self.root, self.connector, day, frame)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def between(first: int, last: int, step: timedelta = FIVE) -> Window:
    return Window(START + first * step, START + last * step)


def severe(intervals: Iterable[int]) -> dict[int, float]:
    return dict.fromkeys(intervals, 90.0)


@given(
    st.dictionaries(st.integers(0, 71), st.sampled_from([69.0, 75.0, 90.0]), max_size=25),
    st.permutations(range(6)),
    st.sampled_from(range(6)),
)
@settings(max_examples=12)
def test_any_order_of_hours_ends_as_scoring_them_at_once(
    severities: dict[int, float], order: list[int], again: int
) -> None:
    with TemporaryDirectory() as one, TemporaryDirectory() as other:
        at_once, by_hours = Bench(Path(one)), Bench(Path(other))
        at_once.run(between(0, 72), severities)
        for hour in (*order, again):
            result = by_hours.run(between(12 * hour, 12 * hour + 12), severities)
        assert by_hours.incidents() == at_once.incidents()
        assert result.changed == ()
        anomalous = sum(len(incident.anomalies) for incident, _ in at_once.incidents())
        assert anomalous <= sum(severity > 70 for severity in severities.values())
        by_hours.store.engine.dispose()
        at_once.store.engine.dispose()


def test_an_old_window_scored_again_leaves_a_finished_incident_whole(bench: Bench) -> None:
    event = severe(range(6, 30))
    bench.run(between(0, 60), event)
    assert bench.spans() == [(between(6, 30), IncidentState.RESOLVED)]
    assert bench.run(between(0, 12), event).changed == ()
    assert bench.spans() == [(between(6, 30), IncidentState.RESOLVED)]
    assert load_detector(bench.store, "blocked").scored_through == "2026-11-02T05:00:00Z"


def test_an_incident_of_weeks_stays_one(tmp_path: Path) -> None:
    bench = Bench(tmp_path, HOURLY)
    event = severe(range(5, 400))
    (first,) = bench.run(between(0, 9 * 24, HOUR), event).changed
    for hour in range(9 * 24, 9 * 24 + 3):
        assert bench.run(between(hour, hour + 1, HOUR), event).changed == (first,)
    assert bench.spans() == [(between(5, 9 * 24 + 3, HOUR), IncidentState.OPEN)]

    bench.run(between(400, 402, HOUR), event)  # hours between were never scored
    bench.run(between(9 * 24 + 3, 400, HOUR), event)
    assert bench.spans() == [(between(5, 400, HOUR), IncidentState.RESOLVED)]
    assert bench.run(between(399, 400, HOUR), event).changed == ()
    assert bench.spans() == [(between(5, 400, HOUR), IncidentState.RESOLVED)]


def test_resolved_once_when_nothing_can_join_it_any_more(bench: Bench) -> None:
    event = severe(range(6, 12))
    bench.run(between(0, 12), event)
    bench.run(between(12, 17), event)
    assert bench.spans() == [(between(6, 12), IncidentState.OPEN)]
    assert len(bench.run(between(17, 18), event).changed) == 1
    assert bench.spans() == [(between(6, 12), IncidentState.RESOLVED)]
    assert bench.run(between(18, 30), event).changed == ()
    (known,) = load_incidents(bench.store)
    assert known.change == 2


def test_open_before_a_long_pause_is_resolved_after_it(bench: Bench) -> None:
    bench.run(between(0, 12), severe([11]))
    assert bench.spans() == [(between(11, 12), IncidentState.OPEN)]
    bench.run(Window(START + 20 * DAY, START + 20 * DAY + HOUR), {})
    assert bench.spans() == [(between(11, 12), IncidentState.RESOLVED)]


def test_scored_again_and_gone_is_withdrawn_and_its_return_is_a_change(bench: Bench) -> None:
    (one,) = bench.run(between(0, 60), severe([6])).changed
    assert bench.run(between(0, 12), {}).changed == (one,)
    assert bench.run(between(0, 12), {}).changed == ()
    assert load_incidents(bench.store) == []
    (gone,) = load_incidents(bench.store, withdrawn=True)
    assert (gone.incident.state, gone.change) == (IncidentState.WITHDRAWN, 2)
    assert bench.run(between(0, 12), severe([6])).changed == (one,)
    (back,) = load_incidents(bench.store)
    assert (back.incident.state, back.change) == (IncidentState.RESOLVED, 3)


def test_without_windows_nothing_happens(bench: Bench) -> None:
    result = bench.detect()
    assert (result.state, result.intervals, result.changed) == ("INACTIVE", 0, ())
    assert load_detector(bench.store, "blocked").state is DetectorStatus.INACTIVE


def test_an_old_day_does_not_overwrite_what_the_detector_is_now(bench: Bench) -> None:
    write_history(bench, days=3)
    learn_for(bench.store, bench.root, bench.metrics, CONNECTOR, START + 3 * DAY)
    now = load_detector(bench.store, "blocked")
    assert (now.state, now.learned_end) == (DetectorStatus.ACTIVE, "2026-11-05T00:00:00Z")
    for day in (
        START + DAY,
        START - DAY,
    ):  # little is known before the one, nothing before the other
        learn_for(bench.store, bench.root, bench.metrics, CONNECTOR, day)
        assert load_detector(bench.store, "blocked") == now
    learn_for(bench.store, bench.root, bench.metrics, CONNECTOR, START + 4 * DAY)
    assert load_detector(bench.store, "blocked").learned_end == "2026-11-06T00:00:00Z"


def test_rows_that_cannot_be_used_are_counted_and_logged(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    write_history(bench, days=2, more="2026-11-03 10:00:00,shop,nan\n")
    folder = bench.metrics / "blocked" / "live" / "20261104" / "0000"
    folder.mkdir(parents=True)
    bad = "2026-11-04 00:00:00,shop,many\n2026-11-04 00:01:00,shop,inf\nyesterday,shop,1\n"
    (folder / "part.csv").write_text(HEADER + "2026-11-04 00:00:00,shop,3\n" + bad)
    with caplog.at_level(logging.WARNING):
        result = bench.detect(Window(START + 2 * DAY, START + 2 * DAY + FIVE))
    assert (result.intervals, result.scores) == (1, 1)
    assert result.rejected == {"bad_time": 1, "bad_value": 2}
    assert caplog.messages == [
        "blocked: 1 metric rows cannot be used: bad_value",  # of the history, when it was learned
        "blocked: 1 metric rows cannot be used: bad_time",
        "blocked: 2 metric rows cannot be used: bad_value",
    ]


def write_history(bench: Bench, days: int, more: str = "") -> None:
    """A backfilled file of three requests in every interval."""
    folder = bench.metrics / "blocked" / "backtest"
    folder.mkdir(parents=True)
    parts = Window(START, START + days * DAY).split(FIVE)
    rows = "".join(f"{naive(part.start)},shop,3\n" for part in parts)
    (folder / "part.csv").write_text(HEADER + rows + more)
