"""Contributions: who and what makes the difference between what was seen and expected."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from bartizan import jobs
from bartizan.explain.causes import root_causes
from bartizan.explain.leaves import Leaves, numbered
from bartizan.explain.queries import sums_queries
from bartizan.model.anomaly import Explanation, RootCause
from bartizan.model.evidence import Query
from bartizan.model.window import Window
from bartizan.store import Store
from bartizan.store.selected import affordable, series_sums
from bartizan.ui.data.located import Located, located
from bartizan.ui.data.sums import Floats, Parts, by_dimension, is_normal, means
from bartizan.ui.selection import Selection

MOST_BYTES = 75 << 20  # of scores that are read for a page
MOST_CAUSES = 3
LEAST_PERCENT = 5  # of the change; less is no cause of it


@dataclass(frozen=True)
class Contributions:
    """Of the time and values chosen; `shown` is less than that where it is too much to read at
    once. `actual` and `expected` are sums, or means where the measure does not add up; `normal`
    says whether they are as expected. `queries` give the numbers again, by dimension."""

    selection: Selection
    shown: Window
    adds_up: bool
    series: int
    actual: float
    expected: float
    normal: bool
    explanation: Explanation | None
    dimensions: tuple[Parts, ...]
    queries: dict[str, tuple[Query, ...]]


def contributions(store: Store, selection: Selection) -> Contributions:
    """Raises UsageError where nothing was scored yet."""
    place = located(store, selection)
    connector, asked = place.connector, place.selection
    root = jobs.settings().lake
    shown = affordable(root, connector, asked.chosen, MOST_BYTES)
    sums = series_sums(root, connector, asked.measure, asked.where, shown)
    leaves, intervals = _leaves(sums, place)
    parts = (
        by_dimension(connector.dimensions, leaves)
        if place.adds_up
        else means(connector.dimensions, leaves, intervals)
    )
    count = 1.0 if place.adds_up else max(float(intervals.sum()), 1.0)
    return Contributions(
        selection=asked,
        shown=shown,
        adds_up=place.adds_up,
        series=len(leaves),
        actual=math.fsum(leaves.value) / count,
        expected=math.fsum(leaves.expected) / count,
        normal=place.adds_up and is_normal(leaves.value, leaves.expected),
        explanation=_explanation(leaves, connector.dimensions) if place.adds_up else None,
        dimensions=parts,
        queries=_queries(place, shown, parts),
    )


def _leaves(sums: pa.Table, place: Located) -> tuple[Leaves, Floats]:
    """And how many intervals of each have a value."""
    dimensions = place.connector.dimensions
    if not len(sums):
        nothing = pa.chunked_array([pa.array([], pa.large_string())])
        return numbered([nothing] * len(dimensions), np.empty(0), np.empty(0)), np.empty(0)
    value, expected, intervals = (
        sums[name].to_numpy().astype(float) for name in ("value", "expected", "intervals")
    )
    return numbered([sums[name] for name in dimensions], value, expected), intervals


def _explanation(leaves: Leaves, dimensions: tuple[str, ...]) -> Explanation | None:
    """Root causes of the change in its own direction, as of an incident; None without a change, and
    of fewer than three series, whose shares say it all."""
    whole = math.fsum(leaves.value) - math.fsum(leaves.expected)
    if len(leaves) < 3 or is_normal(leaves.value, leaves.expected):
        return None
    rest = np.ones(len(leaves), np.bool_)
    causes: list[RootCause] = []
    sign = 1 if whole > 0 else -1
    found = root_causes(leaves.codes, leaves.value, leaves.expected, sign, certain=True)
    for one in sorted(found, key=lambda one: -abs(one.change)):
        percent = math.floor(100 * one.change / whole)
        if percent < LEAST_PERCENT or len(causes) == MOST_CAUSES:
            continue
        rest[one.leaves] = False
        named = tuple((dimensions[at], leaves.names[at][code]) for at, code in one.values)
        causes.append(RootCause(named, one.expected + one.change, one.expected, percent))
    value, expected = leaves.value[rest], leaves.expected[rest]
    return Explanation(
        tuple(causes), math.fsum(value), math.fsum(expected), is_normal(value, expected)
    )


def _queries(
    place: Located, shown: Window, parts: tuple[Parts, ...]
) -> dict[str, tuple[Query, ...]]:
    if not place.adds_up:
        return {}
    asked = place.selection
    measure = next(m for m in place.connector.measures if m.name == asked.measure)
    return {
        one.dimension: tuple(
            sums_queries(place.connector, measure, one.dimension, asked.where, shown)
        )
        for one in parts
    }
