"""Probabilities and severities against independent computations."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from bartizan.detect import counts
from bartizan.detect.severity import budget, rarity, severity

MEANS, SPREADS = st.floats(0.001, 5000), st.floats(0.002, 5)


@given(st.integers(0, 3000), MEANS, SPREADS)
def test_count_tails_are_negative_binomial_mid_p(value: int, mean: float, spread: float) -> None:
    model = stats.nbinom(1 / spread, 1 / (1 + spread * mean))
    args = (np.array([float(value)]), np.array([mean]), np.array([spread]))
    above, below = counts.tail_above(*args)[0], counts.tail_below(*args)[0]
    assert above == pytest.approx(model.sf(value) + model.pmf(value) / 2, rel=1e-6, abs=1e-290)
    assert below == pytest.approx(model.cdf(value) - model.pmf(value) / 2, rel=1e-6, abs=1e-12)
    assert above + below == pytest.approx(1)


def test_far_count_tail_keeps_its_precision() -> None:
    """P(Y > 60) for mean 2, variance 2 + 0.5 * 4, summed term by term."""
    terms = stats.nbinom(2, 0.5).pmf(np.arange(61, 400))
    exact = terms.sum() + stats.nbinom(2, 0.5).pmf(60) / 2
    found = counts.tail_above(np.array([60.0]), np.array([2.0]), np.array([0.5]))[0]
    assert found < 1e-16
    assert found == pytest.approx(exact, rel=1e-9)


def test_dispersion_is_recovered_and_not_blown_up_by_an_attack() -> None:
    rng = np.random.default_rng(1)
    mean = np.full((1, 4000), 20.0)
    values = rng.negative_binomial(1 / 0.3, 1 / (1 + 0.3 * mean)).astype(float)
    clean = counts.fit_dispersion(values, mean)[0]
    values[0, :24] *= 50
    attacked = counts.fit_dispersion(values, mean)[0]
    assert clean == pytest.approx(0.3, rel=0.15)
    assert attacked == pytest.approx(clean, rel=0.35)


def test_severity_of_the_budget_is_seventy() -> None:
    # 100 series, 2,016 five-minute intervals a week, 6 tests each.
    allowed = budget(600, timedelta(minutes=5))
    assert 10**allowed == pytest.approx(100 * 2016 * 6)
    rare = rarity(np.array([1.0, 10**-allowed, 0.0, np.nan]))
    found = severity(rare, allowed)
    assert found[:2] == pytest.approx([0, 70])
    assert 99.9 < found[2] <= 100
    assert np.isnan(found[3])


@given(st.lists(st.floats(0, 300), min_size=2, max_size=20), st.integers(1, 100_000))
def test_severity_grows_with_rarity(rarities: list[float], series: int) -> None:
    found = severity(np.array(sorted(rarities)), budget(series, timedelta(hours=1)))
    assert (np.diff(found) >= 0).all()
    assert ((found >= 0) & (found <= 100)).all()
