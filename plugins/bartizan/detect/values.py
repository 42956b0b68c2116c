"""The rows of a series in an interval become one value (docs/connectors.md: Aggregations)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bartizan.model.connector import Aggregation, Measure

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_WHOLE = 2.0**53
_QUANTILES = {Aggregation.P50: 0.50, Aggregation.P95: 0.95, Aggregation.P99: 0.99}


def aggregate(frame: pd.DataFrame, measure: Measure, cell: Integers, cells: int) -> Floats:
    """The measure's value in each of `cells`, of which `cell` is the one of each row of the frame.

    NaN where no row has a value; COUNT and COUNT_DISTINCT are 0 there. A column holds floats, NaN
    for no value, or for the two counts any text, empty or None for no value. The result does not
    depend on the order of the rows.
    """
    match measure.aggregation:
        case Aggregation.COUNT:
            return _count(cell[_has_value(frame[measure.columns[0]])], cells)
        case Aggregation.COUNT_DISTINCT:
            return _count_distinct(frame[measure.columns[0]], cell, cells)
        case Aggregation.RATIO:
            return _ratio([_floats(frame, name) for name in measure.columns], cell, cells)
        case _:
            numbers = _floats(frame, measure.columns[0])
            known = ~np.isnan(numbers)
            return _of_numbers(numbers[known], measure.aggregation, cell[known], cells)


def _of_numbers(numbers: Floats, aggregation: Aggregation, cell: Integers, cells: int) -> Floats:
    """SUM, AVG, MIN, MAX or a percentile."""
    rows = np.bincount(cell, minlength=cells)
    result = np.full(cells, np.nan)
    if rows.max(initial=0) <= 1:
        result[cell] = numbers
        return result
    if aggregation is Aggregation.SUM and _exact(numbers):
        sums = np.bincount(cell, weights=numbers, minlength=cells)
        result[rows > 0] = sums[rows > 0]
        return result
    # Sums of floats depend on their order; sorted, the result does not depend on the rows'.
    order = np.lexsort((numbers, cell))
    numbers, cell = numbers[order], cell[order]
    filled = np.flatnonzero(rows)
    rows = rows[filled]
    first = np.cumsum(rows) - rows
    result[filled] = _reduced(numbers, aggregation, first, rows)
    return result


def _exact(numbers: Floats) -> bool:
    """Whether sums of the numbers are the same in any order: whole ones that floats can hold."""
    return bool((numbers == np.rint(numbers)).all() and np.abs(numbers).sum() < _WHOLE)


def _reduced(numbers: Floats, aggregation: Aggregation, first: Integers, rows: Integers) -> Floats:
    """One value of each run of ascending numbers, which begins at `first` and has `rows`."""
    result: Floats
    match aggregation:
        case Aggregation.MIN:
            result = numbers[first]
        case Aggregation.MAX:
            result = numbers[first + rows - 1]
        case Aggregation.SUM:
            result = np.add.reduceat(numbers, first)
        case Aggregation.AVG:
            result = np.add.reduceat(numbers, first) / rows
        case _:
            result = _percentile(numbers, _QUANTILES[aggregation], first, rows)
    return result


def _percentile(numbers: Floats, quantile: float, first: Integers, rows: Integers) -> Floats:
    """Linear between the two nearest ranks: percentile_cont of SQL, type 7 of Hyndman and Fan
    (1996), Sample Quantiles in Statistical Packages."""
    rank = (rows - 1) * quantile
    below = np.floor(rank).astype(np.int64)
    low = numbers[first + below]
    high = numbers[first + np.minimum(below + 1, rows - 1)]
    between: Floats = low + (high - low) * (rank - below)
    return between


def _ratio(columns: Sequence[Floats], cell: Integers, cells: int) -> Floats:
    """Sum over sum, of the rows that have both; what is divided by 0 is no value."""
    known = ~np.logical_or.reduce([np.isnan(column) for column in columns])
    above, below = (
        _of_numbers(column[known], Aggregation.SUM, cell[known], cells) for column in columns
    )
    none: Floats = np.full(cells, np.nan)
    return np.divide(above, below, out=none, where=np.nan_to_num(below) != 0)


def _count(cell: Integers, cells: int) -> Floats:
    return np.bincount(cell, minlength=cells).astype(float)


def _count_distinct(column: pd.Series, cell: Integers, cells: int) -> Floats:
    known = _has_value(column)
    codes, texts = pd.factorize(column.to_numpy()[known])
    pairs = np.unique(cell[known] * max(len(texts), 1) + codes)
    return _count(pairs // max(len(texts), 1), cells)


def _has_value(column: pd.Series) -> NDArray[np.bool_]:
    filled: NDArray[np.bool_] = (column.notna() & (column != "")).to_numpy(dtype=bool)
    return filled


def _floats(frame: pd.DataFrame, name: str) -> Floats:
    numbers: Floats = frame[name].to_numpy(dtype=float)
    return numbers
