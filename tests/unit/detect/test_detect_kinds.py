"""Counts that are levels, and dense ones."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bartizan.detect.kinds import LEAST, TELLS, gauges, kinds_of


@given(st.integers(0, 2**32 - 1), st.floats(0.01, 1e5), st.floats(0.01, 2))
@settings(max_examples=50, deadline=None)
def test_counts_of_independent_events_are_no_level(
    seed: int, mean: float, dispersion: float
) -> None:
    rng = np.random.default_rng(seed)
    poisson = rng.poisson(mean, (4, 500))
    wider = rng.poisson(mean * rng.gamma(1 / dispersion, dispersion, (4, 500)))
    found = kinds_of(np.vstack([poisson, wider]).astype(float))
    assert len(found.level) == 8
    assert not found.level.any()


@given(st.integers(0, 2**32 - 1), st.integers(12, 10_000))
@settings(max_examples=50, deadline=None)
def test_levels_counted_in_whole_numbers(seed: int, middle: int) -> None:
    rng = np.random.default_rng(seed)
    held = np.repeat(middle + rng.integers(0, 3, 50), 10)
    ramp = np.cumsum(np.full(500, middle))
    found = kinds_of(np.stack([held, ramp]).astype(float))
    assert found.level.all()


def test_dense_series_are_gauges_where_few_tests_share_the_budget() -> None:
    rng = np.random.default_rng(1)
    counts = rng.poisson([[1.0], [50.0], [500.0]], (3, 400)).astype(float)
    counts[:, :30] = np.nan
    found = kinds_of(counts)
    assert found.dense.tolist() == [False, False, True]
    assert found.gauges(TELLS).tolist() == [False, False, True]
    assert not found.gauges(TELLS + 0.1).any()


@pytest.mark.filterwarnings("error")
def test_what_is_unknown_or_small_is_a_count() -> None:
    values = np.stack([np.full(300, np.nan), np.zeros(300), np.full(300, LEAST - 1)])
    found = kinds_of(values)
    assert not (found.level | found.dense).any()
    assert gauges(2).gauges(99.0).all()
