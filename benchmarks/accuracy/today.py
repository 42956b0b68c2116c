"""Bartizan's detector, through its public functions, run as its DAG runs it.

At each midnight it learns from up to 35 days before and scores the day; the test part begins at
midnight. Whole numbers without a negative one are sums, anything else averages. The highest
severity of the dimensions counts, each of which is a series.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd

from accuracy.detector import Detector, Floats
from bartizan.detect.learn import learn
from bartizan.detect.score import score
from bartizan.model.connector import Aggregation, Connector, Measure, Missing
from bartizan.model.window import DAY, Window, naive

MONDAY = datetime(2026, 11, 2, tzinfo=UTC)
LEARN_FROM = timedelta(days=35)


def bartizan(interval: timedelta) -> Detector:
    """The detector for points that are `interval` apart; alarms at the usual threshold of 70."""

    def run(train: Floats, test: Floats) -> Floats:
        values = np.concatenate([train, test])
        begin, end = MONDAY - len(train) * interval, MONDAY + len(test) * interval
        result = np.full(len(test), np.nan)
        for day in Window(MONDAY, end).pieces(DAY):
            past, last = (round((at - begin) / interval) for at in (day.start, day.end))
            if past:
                severity = _severity(values[:last], past, begin, day, interval)
                result[past - len(train) : last - len(train)] = severity
        return result

    return Detector("Bartizan", 70.0, run)


def _severity(
    values: Floats, past: int, begin: datetime, day: Window, interval: timedelta
) -> Floats:
    """Severity of the intervals of `day`, learned from the `past` first values."""
    frame = _frame(values, begin, interval)
    counted = bool((values[:past] >= 0).all() and (values[:past] % 1 == 0).all())
    measure = Measure("value") if counted else Measure("value", Aggregation.AVG, Missing.GAP)
    connector = Connector(
        "series", "", interval, timedelta(), "timestamp", ("part",), (measure,), ""
    )
    state = learn(frame, connector, Window(day.start - LEARN_FROM, day.start))
    scores = score(state, frame, connector, day)
    severity: Floats = scores.groupby("interval_start")["severity"].max().to_numpy()
    return severity


def _frame(values: Floats, begin: datetime, interval: timedelta) -> pd.DataFrame:
    points, parts = values.shape
    times = np.datetime64(naive(begin), "us") + np.arange(points) * np.timedelta64(interval, "us")
    return pd.DataFrame(
        {
            "interval_start": np.repeat(times, parts),
            "part": np.tile([str(part) for part in range(parts)], points),
            "value": values.ravel(),
        }
    )
