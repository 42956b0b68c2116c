"""Counts that are levels, and dense ones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bartizan.detect.kinds import LEAST, TELLS, Kinds, kinds_of, kinds_of_gauges
from bartizan.detect.learn import learn
from bartizan.detect.score import follow, score
from bartizan.model.connector import Connector, Measure
from bartizan.model.window import DAY, HOUR, Window

START = datetime(2026, 11, 2, tzinfo=UTC)
CONNECTOR = Connector("site", "", HOUR, timedelta(), "t", ("name",), (Measure("count"),), "")


def kinds_in(counts: np.ndarray) -> Kinds:
    known = np.isfinite(counts)
    return kinds_of(
        counts, np.where(known, counts, 0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    )


@given(st.integers(0, 2**32 - 1), st.floats(0.01, 1e5), st.floats(0.01, 2))
@settings(max_examples=50)
def test_counts_of_independent_events_are_no_level(
    seed: int, mean: float, dispersion: float
) -> None:
    rng = np.random.default_rng(seed)
    poisson = rng.poisson(mean, (4, 500))
    wider = rng.poisson(mean * rng.gamma(1 / dispersion, dispersion, (4, 500)))
    found = kinds_in(np.vstack([poisson, wider]).astype(float))
    assert len(found.level) == 8
    assert not found.level.any()


@given(st.integers(0, 2**32 - 1), st.integers(12, 10_000))
@settings(max_examples=50)
def test_levels_counted_in_whole_numbers(seed: int, middle: int) -> None:
    rng = np.random.default_rng(seed)
    held = np.repeat(middle + rng.integers(0, 3, 50), 10)
    ramp = np.cumsum(np.full(500, middle))
    found = kinds_in(np.stack([held, ramp]).astype(float))
    assert found.level.all()


def test_dense_series_are_gauges_where_few_tests_share_the_budget() -> None:
    rng = np.random.default_rng(1)
    counts = rng.poisson([[1.0], [500.0], [1500.0]], (3, 400)).astype(float)
    counts[:, :30] = np.nan
    found = kinds_in(counts)
    assert found.dense.tolist() == [False, False, True]
    assert found.gauges(TELLS).tolist() == [False, False, True]
    assert not found.gauges(TELLS + 0.1).any()


@pytest.mark.filterwarnings("error")
def test_what_is_unknown_or_small_is_a_count() -> None:
    values = np.stack([np.full(300, np.nan), np.zeros(300), np.full(300, LEAST - 1)])
    found = kinds_in(values)
    assert not (found.level | found.dense).any()
    assert kinds_of_gauges(2).gauges(99.0).all()


def test_counts_and_levels_of_one_measure_are_each_judged_live_as_at_once() -> None:
    rng = np.random.default_rng(3)
    hours, learned = 25 * 24, 20 * 24
    values = {
        "requests": rng.poisson(5, hours),
        "threads": np.repeat(40 + rng.integers(0, 3, hours // 5), 5),
    }
    times = pd.date_range(START.replace(tzinfo=None), periods=hours, freq="h")
    frame = pd.concat(
        pd.DataFrame({"interval_start": times, "name": name, "count": column.astype(float)})
        for name, column in values.items()
    )
    window = Window(START + learned * HOUR, START + hours * HOUR)
    state = learn(frame, CONNECTOR, Window(START, window.start))
    assert state.series.set_index("name")["model"].to_dict() == {
        "requests": "counted",
        "threads": "gauged",
    }
    whole = score(state, frame, CONNECTOR, window)
    assert len(whole) == 2 * (hours - learned)
    assert whole["severity"].notna().all()
    parts = []
    for day in window.pieces(DAY):
        found, state = follow(state, frame, CONNECTOR, day)
        parts.append(found)
    pd.testing.assert_frame_equal(pd.concat(parts, ignore_index=True), whole)
    frozen = frame.copy()
    frozen.loc[
        (frozen["name"] == "threads") & (frozen["interval_start"] >= times[-60]), "count"
    ] = 99
    state = learn(frozen, CONNECTOR, Window(START, window.start))
    alarms = score(state, frozen, CONNECTOR, window).query("severity >= 70")
    assert set(alarms["name"]) == {"threads"}
