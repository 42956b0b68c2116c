"""Which series are categories whose mix is watched, and what was seen of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bartizan.detect.panel import Flags, Floats, Integers

FEWEST = 3  # categories of a group: of two, what one gains the other loses
REGULAR, FEWEST_REGULAR = 1.0, 2  # counts an interval, and how many categories must have them
MOST = 50  # categories of a group, and groups: the largest


@dataclass(frozen=True)
class Categories:
    """`rows` (R): the positions of their series in the keys; `group` (R): the number of the group
    each belongs to. `alone`: each is a value of the first dimension, so that none shares a cause
    with another."""

    rows: Integers
    group: Integers
    alone: bool

    @property
    def groups(self) -> int:
        return int(self.group.max(initial=-1)) + 1

    def among(self, rows: Integers) -> Categories:
        """Those of the series at some `rows`."""
        mine = np.isin(self.rows, rows)
        return Categories(self.rows[mine], self.group[mine], self.alone)


@dataclass(frozen=True)
class Watched:
    """Of categories (R, T): values and what was expected of them, NaN where unknown, to be filled
    in part by part."""

    categories: Categories
    values: Floats
    expected: Floats

    @classmethod
    def empty(cls, categories: Categories, intervals: int) -> Watched:
        values, expected = np.full((2, len(categories.rows), intervals), np.nan)
        return cls(categories, values, expected)

    @classmethod
    def joined(cls, runs: Sequence[Watched | None]) -> Watched | None:
        """What was seen of all series, given that of runs of them, in order."""
        seen = [run for run in runs if run is not None]
        if not seen:
            return None
        rows, group, values, expected = (
            np.concatenate(arrays)
            for arrays in zip(
                *((o.categories.rows, o.categories.group, o.values, o.expected) for o in seen),
                strict=True,
            )
        )
        return cls(Categories(rows, group, seen[0].categories.alone), values, expected)

    def put(self, series: Integers, values: Floats, expected: Floats) -> None:
        """Fill in those of some series (S, T), in order, that are categories."""
        rows = self.categories.rows
        first, end = np.searchsorted(rows, [series[0], series[-1] + 1])
        own = np.searchsorted(series, rows[first:end])
        mine = series[own] == rows[first:end]
        self.values[first:end][mine] = values[own[mine]]
        self.expected[first:end][mine] = expected[own[mine]]


def has_mix(dimensions: tuple[str, ...], *, total: bool) -> bool:
    """Whether series of these dimensions are categories; one dimension of a total is a cause."""
    return len(dimensions) == 2 or (len(dimensions) == 1 and not total)


def find_categories(keys: pd.DataFrame, level: Floats, ready: Flags) -> Categories | None:
    """The categories among series (S) of one or two dimensions, given the mean of each and whether
    there is a model of it; None where too few are regularly seen."""
    of = _groups(keys)
    largest = np.lexsort((np.arange(len(of)), -level, of))
    largest = largest[ready[largest]]
    place = pd.Series(of[largest]).groupby(of[largest]).cumcount().to_numpy()
    rows = np.sort(largest[place < MOST])
    groups = int(of.max(initial=-1)) + 1
    many = np.bincount(of[rows], minlength=groups) >= FEWEST
    many &= np.bincount(of[rows], level[rows] >= REGULAR, groups) >= FEWEST_REGULAR
    size = np.where(many, np.bincount(of[rows], level[rows], groups), -1.0)
    chosen = np.argsort(-size, kind="stable")[: min(MOST, int(many.sum()))]
    rows = rows[np.isin(of[rows], chosen)]
    return categories_at(keys, rows) if len(rows) else None


def categories_at(keys: pd.DataFrame, rows: Integers) -> Categories:
    """Categories at these positions of the keys."""
    group = np.unique(_groups(keys)[rows], return_inverse=True)[1]
    return Categories(rows, group.astype(np.int64), len(keys.columns) == 1)


def most_mixes(keys: pd.DataFrame, dimensions: tuple[str, ...], *, total: bool) -> int:
    """No more groups than these have a mix of the series `keys` summed up by the dimensions."""
    if not has_mix(dimensions, total=total):
        return 0
    return min(MOST, keys[dimensions[0]].nunique() if len(dimensions) == 2 else 1)


def _groups(keys: pd.DataFrame) -> Integers:
    """Number (S) of the first dimension's value, where there is a second."""
    if len(keys.columns) == 1:
        return np.zeros(len(keys), dtype=np.int64)
    codes: Integers = pd.factorize(keys[keys.columns[0]], sort=True)[0].astype(np.int64)
    return codes
