"""Medians and quantiles of series with gaps are NumPy's, bit for bit; sums of hours are exact."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bartizan.detect.ranks import medians, quantiles
from bartizan.detect.sums import sums_by

number = st.floats(-1e9, 1e9) | st.just(math.nan) | st.integers(0, 3).map(float)
tables = st.integers(1, 12).flatmap(
    lambda width: st.lists(
        st.lists(number, min_size=width, max_size=width).filter(
            lambda row: not all(map(math.isnan, row))
        ),
        min_size=1,
        max_size=5,
    )
)


@given(tables, st.floats(0, 1))
def test_of_known_values(rows: list[list[float]], part: float) -> None:
    values = np.array(rows)
    np.testing.assert_array_equal(medians(values), np.nanmedian(values, axis=1))
    found = quantiles(values, [part, 0.5, 1.0])
    np.testing.assert_array_equal(found, np.nanquantile(values, [part, 0.5, 1.0], axis=1))


def test_of_nothing_is_nothing() -> None:
    values = np.array([[np.nan, np.nan], [np.nan, 3.0]])
    np.testing.assert_array_equal(medians(values), [np.nan, 3.0])
    np.testing.assert_array_equal(quantiles(values, [0.2]), [[np.nan, 3.0]])
    np.testing.assert_array_equal(medians(np.zeros((2, 0))), [np.nan, np.nan])


def test_sums_of_columns_that_belong_together() -> None:
    values = np.array([[1.0, 2.0, 4.0, 8.0], [0.5, 0.0, -1.0, 2.0]])
    group = np.array([2, 0, 2, 0])
    assert sums_by(values, group, 4).tolist() == [[10, 0, 5, 0], [2, 0, -0.5, 0]]
