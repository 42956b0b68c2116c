"""What is found of the series of a shard at a glance, before any is described."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pandas as pd

from bartizan.detect.census import Census, take_census
from bartizan.detect.counted import Counted
from bartizan.detect.gauged import Gauged
from bartizan.detect.jointly import TESTS as JOINT_TESTS
from bartizan.detect.kinds import Kinds, kinds_of, kinds_of_gauges
from bartizan.detect.outlook import spans
from bartizan.detect.panel import Floats, Integers, Panel
from bartizan.model.connector import Connector
from bartizan.model.window import DAY


def points_needed(frequency: timedelta) -> int:
    """Intervals of its own a series needs to be judged by them (as Lookout: 300, daily 14)."""
    return 14 if frequency >= DAY else 300


@dataclass(frozen=True)
class Survey:
    """Of the series of a shard and one measure: how many intervals each has of its own (S), their
    mean (S), the number of its pool (S), their kinds; and how large counts came, None for
    gauges."""

    points: Integers
    level: Floats
    pool: Integers
    kinds: Kinds
    census: Census | None

    def tests(self, needed: int) -> int:
        """Most of an interval of all series that have enough points."""
        gauge = self.kinds.level | self.kinds.dense
        tests = np.where(gauge, Gauged.TESTS, Counted.TESTS)
        return int(tests[self.points >= needed].sum())


def survey(panel: Panel, connector: Connector, group: Integers) -> list[Survey]:
    """That of each measure; `group` (S) are the numbers of the series' groups of peers."""
    day, length = round(DAY / connector.frequency), spans(connector.frequency)[0]
    pool, first = _pools(panel), _first(panel)
    surveys = []
    for measure, own in zip(connector.measures, own_values(panel), strict=True):
        points = np.isfinite(own).sum(axis=1)
        level = np.nan_to_num(own).sum(axis=1) / np.maximum(points, 1)
        is_count = measure.aggregation.counts and not np.any(own < 0)
        census = take_census(own, first, level, group, day, length) if is_count else None
        kinds = kinds_of(own, level) if is_count else kinds_of_gauges(len(own))
        surveys.append(Survey(points, level, pool, kinds, census))
    return surveys


def tests_of(surveys: Sequence[Survey], needed: int) -> int:
    """Most of an interval of the series of a shard, of each measure and of all jointly."""
    complete = np.all([found.points >= needed for found in surveys], axis=0)
    jointly = JOINT_TESTS * int(complete.sum()) if len(surveys) > 1 else 0
    return sum(found.tests(needed) for found in surveys) + jointly


def own_values(panel: Panel) -> list[Floats]:
    """Values of each measure from the first row of a series on: before it the series did not
    exist, and those zeros would only dilute its mean."""
    exists = np.arange(len(panel.times)) >= _first(panel)[:, None]
    return [np.where(exists, values, np.nan) for values in panel.values.values()]


def _first(panel: Panel) -> Integers:
    """Position (S) of the first row of each series, T for none."""
    return np.where(panel.present.any(axis=1), panel.present.argmax(axis=1), len(panel.times))


def _pools(panel: Panel) -> Integers:
    """Number of each series' pool: series with the same first dimension share a daily shape."""
    if panel.keys.columns.empty:
        return np.zeros(1, dtype=np.int64)
    codes: Integers = pd.factorize(panel.keys[panel.keys.columns[0]])[0].astype(np.int64)
    return codes
