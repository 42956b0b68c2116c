"""Bartizan's detector, through its public functions, run as its DAG runs it.

At each midnight it learns from up to 35 days before and scores the day; the test part begins at
midnight. Whole numbers without a negative one are sums, anything else averages. The highest
severity of the dimensions counts, each of which is a series.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from accuracy.detector import Detector, Floats
from bartizan.detect.learn import learn
from bartizan.detect.score import score
from bartizan.model.connector import Aggregation, Connector, Measure, Missing
from bartizan.model.window import DAY, Window, naive

MONDAY = datetime(2026, 11, 2, tzinfo=UTC)
LEARN_FROM = timedelta(days=35)


def bartizan(interval: timedelta, name: str = "Bartizan", *, measures: bool = False) -> Detector:
    """The detector for points that are `interval` apart; alarms at the usual threshold of 70. The
    columns are series of one measure, or the `measures` of one series."""
    severity_of = _of_measures if measures else _of_series

    def run(train: Floats, test: Floats) -> Floats:
        values = np.concatenate([train, test])
        begin, end = MONDAY - len(train) * interval, MONDAY + len(test) * interval
        result = np.full(len(test), np.nan)
        for day in Window(MONDAY, end).pieces(DAY):
            past, last = (round((at - begin) / interval) for at in (day.start, day.end))
            if past:
                severity = severity_of(values[:last], past, begin, day, interval)
                result[past - len(train) : last - len(train)] = severity
        return result

    return Detector(name, 70.0, run)


def _of_series(
    values: Floats, past: int, begin: datetime, day: Window, interval: timedelta
) -> Floats:
    """Severity of the intervals of `day`, learned from the `past` first values."""
    frame = _frame(values, begin, interval)
    return _severity(frame, ("part",), (_measure("value", values[:past]),), day, interval)


def _of_measures(
    values: Floats, past: int, begin: datetime, day: Window, interval: timedelta
) -> Floats:
    names = [f"measure {number}" for number in range(values.shape[1])]
    frame = pd.DataFrame(dict(zip(names, values.T, strict=True)))
    frame["interval_start"] = _times(len(values), begin, interval)
    measures = [_measure(name, values[:past, [place]]) for place, name in enumerate(names)]
    return _severity(frame, (), tuple(measures), day, interval)


def _measure(name: str, values: Floats) -> Measure:
    counted = bool((values >= 0).all() and (values % 1 == 0).all())
    return Measure(name) if counted else Measure(name, Aggregation.AVG, Missing.GAP)


def _severity(
    frame: pd.DataFrame,
    dimensions: tuple[str, ...],
    measures: tuple[Measure, ...],
    day: Window,
    interval: timedelta,
) -> Floats:
    connector = Connector(
        "series", "", interval, timedelta(), "timestamp", dimensions, measures, ""
    )
    state = learn(frame, connector, Window(day.start - LEARN_FROM, day.start))
    scores = score(state, frame, connector, day)
    severity: Floats = scores.groupby("interval_start")["severity"].max().to_numpy()
    return severity


def _frame(values: Floats, begin: datetime, interval: timedelta) -> pd.DataFrame:
    points, parts = values.shape
    return pd.DataFrame(
        {
            "interval_start": np.repeat(_times(points, begin, interval), parts),
            "part": np.tile([str(part) for part in range(parts)], points),
            "value": values.ravel(),
        }
    )


def _times(points: int, begin: datetime, interval: timedelta) -> np.ndarray[Any, Any]:
    return np.datetime64(naive(begin), "us") + np.arange(points) * np.timedelta64(interval, "us")
