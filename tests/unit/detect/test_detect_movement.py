"""Gauges that are stuck, or restless."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from bartizan.detect.learn import learn
from bartizan.detect.movement import begin_moving, fit_movement, move
from bartizan.detect.score import score
from bartizan.model.connector import Aggregation, Connector, Measure, Missing
from bartizan.model.window import DAY, Window

START = datetime(2026, 11, 2, tzinfo=UTC)
STEP = timedelta(minutes=5)
A_DAY = 288
MEASURES = (Measure("latency", Aggregation.AVG, Missing.GAP),)
CONNECTOR = Connector("app", "", STEP, timedelta(), "timestamp", (), MEASURES, "")
HISTORY = Window(START, START + 7 * DAY)
TODAY = Window(HISTORY.end, HISTORY.end + DAY)
ASKED = slice(7 * A_DAY + 100, 7 * A_DAY + 160)


def usual(rng: np.random.Generator) -> np.ndarray:
    slots = np.arange(8 * A_DAY)
    return 50 + 10 * np.sin(2 * np.pi * slots / A_DAY) + rng.normal(0, 1, len(slots))


def scores(values: np.ndarray) -> pd.DataFrame:
    times = pd.date_range(START.replace(tzinfo=None), periods=len(values), freq=STEP)
    frame = pd.DataFrame({"interval_start": times, "latency": values})
    return score(learn(frame, CONNECTOR, HISTORY), frame, CONNECTOR, TODAY)


def alarms(found: pd.DataFrame) -> pd.DataFrame:
    return found[found["severity"] >= 70]


def test_a_value_that_is_stuck_near_what_is_expected() -> None:
    values = usual(np.random.default_rng(1))
    assert alarms(scores(values)).empty
    values[ASKED] = values[ASKED].mean()
    found = alarms(scores(values))
    assert found["reason"].iloc[0] == "stuck"
    assert found["direction"].iloc[0] == "below"
    first = int((found["interval_start"].iloc[0] - TODAY.start.replace(tzinfo=None)) / STEP)
    assert 100 < first < 160


def test_a_value_that_is_restless_within_its_range() -> None:
    rng = np.random.default_rng(2)
    values = usual(rng)
    assert alarms(scores(values)).empty
    size = ASKED.stop - ASKED.start
    values[ASKED] += 2.5 * np.where(np.arange(size) % 2, 1, -1)
    found = alarms(scores(values))
    assert "restless" in set(found["reason"])
    assert set(found.loc[found["reason"] == "restless", "direction"]) == {"above"}


@pytest.mark.parametrize("still", [0.3, 0.7, 1.0])
def test_a_series_that_often_stands_still_may_do_so(still: float) -> None:
    """It moves at that part of its days only."""
    rng = np.random.default_rng(3)
    values = usual(rng)
    for day in range(8):
        values[day * A_DAY + int((1 - still) * A_DAY) : (day + 1) * A_DAY] = 50.0
    found = scores(values)
    assert len(found) == A_DAY
    assert "stuck" not in set(alarms(found)["reason"])


def test_gaps_are_no_movement_and_no_standing_still() -> None:
    rng = np.random.default_rng(4)
    values = rng.normal(0, 1, (2, 600))
    movement = fit_movement(values[:, :500], 36)
    gappy = values[:, 500:].copy()
    gappy[1, 10:90] = np.nan
    away, rest, restless, stuck, _ = move(movement, begin_moving(movement), gappy, 36)
    assert np.isfinite(away).all()
    assert np.abs(away).max() < 4
    assert (rest == 0).all()
    assert not (restless | stuck)[1, 10:90].any()
    steps = np.abs(np.diff(values[:, :500]))
    assert movement.usual == pytest.approx(steps.mean(axis=1))


def test_cut_in_two_is_the_same_as_at_once() -> None:
    values = np.random.default_rng(5).normal(0, 1, (3, 400))
    movement = fit_movement(values[:, :300], 36)
    values[1, 330:345] = 2.0
    *whole, _ = move(movement, begin_moving(movement), values[:, 300:], 36)
    *first, moved = move(movement, begin_moving(movement), values[:, 300:337], 36)
    *second, _ = move(movement, moved, values[:, 337:], 36)
    for before, after, both in zip(first, second, whole, strict=True):
        np.testing.assert_array_equal(np.hstack([before, after]), both)


def resting(lengths: list[int], moving: int) -> np.ndarray:
    """Values of one series that are still for so many intervals, between stretches that move."""
    parts = [[np.arange(moving, dtype=float), np.full(length, moving - 1.0)] for length in lengths]
    return np.concatenate([one for pair in parts for one in pair])[None]


def test_a_rest_is_as_rare_as_its_length_without_the_two_longest() -> None:
    values = resting([30, 3, 2, 4, 25, 3, 2], 200)
    movement = fit_movement(values, 36)
    still, rests = 3 + 2 + 4 + 3 + 2, 5
    chances = np.count_nonzero(np.diff(values)) + 1  # that a rest could begin, or the history end
    assert movement.rest[0] == pytest.approx(-np.log10((rests + 1) / (chances + 2)), rel=0.01)
    assert movement.lasts[0] == pytest.approx(-np.log10((still - rests + 1) / (still + 2)))
    assert movement.longest[0] == 4
    _, rest, _, stuck, _ = move(movement, begin_moving(movement), resting([9], 5), 36)
    assert rest[0, 4] == 0
    assert rest[0, -1] == pytest.approx(movement.rest[0] + 8 * movement.lasts[0])
    assert stuck[0].tolist() == [False] * 11 + [True] * 3  # beyond 1.5 times the longest


def test_what_rests_for_long_as_a_rule_may_do_so() -> None:
    movement = fit_movement(resting([100, 120, 110], 50), 36)
    assert movement.longest[0] == 120
    *_, stuck, _ = move(movement, begin_moving(movement), resting([170], 5), 36)
    assert not stuck.any()


def test_a_series_that_is_frozen_for_the_third_time_is_told_again() -> None:
    values = usual(np.random.default_rng(6))
    for start in (500, 1200, ASKED.start):
        values[start : start + 60] = values[start]
    found = alarms(scores(values))
    assert found["reason"].iloc[0] == "stuck"
