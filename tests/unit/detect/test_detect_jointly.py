"""Several measures of a series, which are unusual together only."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import f, norm
from upath import UPath

from bartizan.detect.calendar import Calendar
from bartizan.detect.jointly import FREEDOM, Departures, departures, fit_jointly, judge_jointly
from bartizan.detect.learn import learn
from bartizan.detect.score import follow, score
from bartizan.detect.state import DetectorState
from bartizan.model.connector import Aggregation, Connector, Measure, Missing
from bartizan.model.window import DAY, Window

START = datetime(2026, 11, 2, tzinfo=UTC)
STEP = timedelta(minutes=5)
A_DAY = 288
MEASURES = tuple(Measure(name, Aggregation.AVG, Missing.GAP) for name in ("cpu", "load", "queue"))
CONNECTOR = Connector("hosts", "", STEP, timedelta(), "timestamp", ("host",), MEASURES, "")
HISTORY = Window(START, START + 7 * DAY)
TODAY = Window(HISTORY.end, HISTORY.end + DAY)
ASKED = slice(7 * A_DAY + 100, 7 * A_DAY + 106)


def hosts(rng: np.random.Generator, count: int = 3) -> np.ndarray:
    """Values (hosts, measures, intervals): all measures follow the work there is, which nobody
    knows beforehand."""
    slots = np.arange(8 * A_DAY)
    day = 10 * np.sin(2 * np.pi * slots / A_DAY)
    work = rng.normal(0, 3, (count, 1, len(slots)))
    return 50 + day + work + rng.normal(0, 0.4, (count, 3, len(slots)))


def frame(values: np.ndarray) -> pd.DataFrame:
    count, _, steps = values.shape
    times = pd.date_range(START.replace(tzinfo=None), periods=steps, freq=STEP)
    columns = {one.name: values[:, place].ravel() for place, one in enumerate(MEASURES)}
    names = np.repeat([f"host-{number}" for number in range(count)], steps)
    return pd.DataFrame({"interval_start": np.tile(times, count), "host": names, **columns})


def scores(values: np.ndarray) -> pd.DataFrame:
    rows = frame(values)
    return score(learn(rows, CONNECTOR, HISTORY), rows, CONNECTOR, TODAY)


def alarms(found: pd.DataFrame) -> pd.DataFrame:
    return found[found["severity"] >= 70]


def test_measures_that_part_although_each_is_usual() -> None:
    values = hosts(np.random.default_rng(1))
    quiet = scores(values)
    assert len(quiet) == 3 * 3 * A_DAY
    assert alarms(quiet).empty
    values[1, 0, ASKED] += 3.0
    values[1, 1, ASKED] -= 3.0  # a spread each, of what they do every day; five apart
    found = alarms(scores(values))
    assert set(found["host"]) == {"host-1"}
    assert found["reason"].iloc[0] == "jointly"
    assert {"cpu": "above", "load": "below"}[found["measure"].iloc[0]] == found["direction"].iloc[0]
    inside = (found["interval_start"] - HISTORY.end.replace(tzinfo=None)) / STEP
    assert inside.between(100, 106).all()


def test_measures_that_move_together_as_ever_are_usual() -> None:
    values = hosts(np.random.default_rng(2))
    values[1, :, ASKED] += 4.0
    assert "jointly" not in set(alarms(scores(values))["reason"])


def test_what_one_measure_says_by_itself_is_told_once() -> None:
    values = hosts(np.random.default_rng(3))
    values[2, 0, ASKED.start] += 60.0
    found = alarms(scores(values))
    assert set(found["measure"]) == {"cpu"}
    assert set(found["reason"]) == {"spike"}


def test_nothing_is_said_of_a_series_that_lacks_a_measure() -> None:
    values = hosts(np.random.default_rng(1))
    values[1, 0, ASKED] += 3.0
    values[1, 1, ASKED] -= 3.0
    values[1, 2, ASKED] = np.nan
    assert alarms(scores(values)).empty


@pytest.mark.parametrize("kind", ["normal", "heavy", "bursts"])
def test_quiet_series_keep_the_budget(kind: str) -> None:
    """Forty series for four days: at a point a week of the detector, half a point is due."""
    rng = np.random.default_rng(4)
    shape = 40, 3, 11 * A_DAY
    noise = {
        "normal": lambda: rng.normal(0, 1, shape),
        "heavy": lambda: rng.standard_t(4, shape),
        "bursts": lambda: rng.normal(0, 1, shape) * rng.choice([1, 4], shape[2], p=[0.98, 0.02]),
    }[kind]()
    rows = frame(100 + noise + rng.normal(0, 1, (40, 1, shape[2])))
    state = learn(rows, CONNECTOR, HISTORY)
    found = score(state, rows, CONNECTOR, Window(HISTORY.end, HISTORY.end + 4 * DAY))
    assert len(found) == 40 * 3 * 4 * A_DAY
    assert len(found[(found["severity"] >= 70) & (found["reason"] == "jointly")]) <= 3


def test_live_is_replay_and_the_state_is_kept_whole(tmp_path: Path) -> None:
    values = hosts(np.random.default_rng(5), count=4)
    values[1, 0, ASKED] += 3.0
    values[1, 1, ASKED] -= 3.0
    rows = frame(values)
    state = learn(rows, CONNECTOR, HISTORY)
    at_once = score(state, rows, CONNECTOR, TODAY)
    state.save(UPath(tmp_path / "state"))
    state, parts = DetectorState.load(UPath(tmp_path / "state")), []
    for window in TODAY.pieces(timedelta(hours=7)):
        found, state = follow(state, rows, CONNECTOR, window)
        parts.append(found)
    pd.testing.assert_frame_equal(pd.concat(parts, ignore_index=True), at_once)
    assert "jointly" in set(at_once["reason"])


def test_rarity_is_that_of_hotelling_s_distance() -> None:
    """Against the textbook: with a covariance that is known, the tail is that of F."""
    rng = np.random.default_rng(6)
    known = np.array([[1.0, 0.8], [0.8, 1.0]])
    deviates = rng.multivariate_normal([0, 0], known, (1, 20_000)).transpose(0, 2, 1)
    matters = np.ones(deviates.shape[::2], dtype=bool)
    measures = [Departures(deviates[:, place], matters) for place in (0, 1)]
    times = np.datetime64("2026-11-02") + np.arange(20_000) * np.timedelta64(1, "h")
    calendar = Calendar.of(times.astype("datetime64[us]"), timedelta(hours=1))
    part = fit_jointly(np.arange(1), measures, calendar, 6.0)
    asked = np.array([2.0, -2.0])
    one = [Departures(np.full((1, 1), value), np.ones((1, 1), dtype=bool)) for value in asked]
    part.memory.last[:] = 0
    found, _ = judge_jointly(part, one, Calendar.of(times[:1].astype("datetime64[us]"),
                             timedelta(hours=1)), 6.0)  # fmt: skip
    distance = float(asked @ np.linalg.inv(known) @ asked)
    claimed = -np.log10(f.sf(distance / 2, 2, FREEDOM))
    due = part.habit.worth(np.full((3, 1, 1), claimed))[0, 0, 0]
    assert found.rare[0, 0] == pytest.approx(due, rel=0.05)


def test_departures_are_deviates_of_tails() -> None:
    tails = np.array([0.2, 0.01, 1e-9])
    worth = -np.log10(np.stack([tails, 1 - tails]))[:, None]
    matters = np.ones(worth.shape, dtype=bool)
    up = departures(worth, matters).deviate[0]
    down = departures(worth[::-1], matters).deviate[0]
    np.testing.assert_allclose(up, norm.isf(tails))
    np.testing.assert_allclose(down, -norm.isf(tails))
