"""Who scores the weeks. Each learns at every midnight from up to 35 days before, as the DAG does,
and its scores become incidents by Bartizan's own grouping.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bartizan.detect.learn import learn
from bartizan.detect.score import score
from bartizan.model.anomaly import Direction
from bartizan.model.connector import Connector
from bartizan.model.window import DAY, HOUR, Window, naive

LEARN_FROM = timedelta(days=35)
SIGMAS = 3.0  # of the peers; their severity is then 70
WEEK_HOURS = 168

Floats = NDArray[np.float64]
Run = Callable[[pd.DataFrame, Connector, Window, Window], pd.DataFrame]


@dataclass(frozen=True)
class Contender:
    """`run(metrics, connector, span, live)` scores the live days; metrics are known from the
    start of the span. Returns what `find_groups` takes, points of a severity below `least` left
    out. An incident's points have `threshold` at least.
    """

    name: str
    run: Run
    least: float = 50.0
    threshold: float = 70.0


def bartizan(
    metrics: pd.DataFrame, connector: Connector, span: Window, live: Window
) -> pd.DataFrame:
    found = []
    for day in live.split(DAY):
        past = Window(max(day.start - LEARN_FROM, span.start), day.start)
        rows = _between(metrics, Window(past.start, day.end))
        state = learn(rows, connector, past, _starts(past, connector))
        seen = _starts(Window(past.start, day.end), connector)
        scores = score(state, rows, connector, day, covered=seen)
        found.append(scores[(scores["severity"] >= 50) & (scores["direction"] != "")])
    return pd.concat(found, ignore_index=True)


def _between(metrics: pd.DataFrame, window: Window) -> pd.DataFrame:
    times = metrics["interval_start"]
    first, end = times.searchsorted([naive(window.start), naive(window.end)])
    return metrics.iloc[first:end]


def _starts(window: Window, connector: Connector) -> pd.DatetimeIndex:
    return pd.date_range(
        naive(window.start), naive(window.end), freq=connector.frequency, inclusive="left"
    )


def three_sigma(name: str, hours: int) -> Contender:
    """Distance to the mean in standard deviations, by slots of an hour that repeat after so many
    hours. No deviation is taken for less than that of a Poisson count, or than 1.
    """

    def run(
        metrics: pd.DataFrame, connector: Connector, span: Window, live: Window
    ) -> pd.DataFrame:
        keys, values = dense(metrics, connector, span)
        starts = _starts(span, connector)
        slots = np.asarray((starts - starts[0]) // HOUR % hours, dtype=np.int64)
        found = []
        for day in live.split(DAY):
            past = Window(max(day.start - LEARN_FROM, span.start), day.start)
            first, now, end = starts.searchsorted(
                [naive(past.start), naive(day.start), naive(day.end)]
            )
            middle, spread = _expected(values[:, first:now], slots[first:now], slots[now:end])
            spread = np.maximum(spread, np.sqrt(np.maximum(middle, 1.0)))
            today = values[:, now:end]
            found.append(_scores(keys, today, middle, spread, starts[now:end], connector))
        return pd.concat(found, ignore_index=True)

    return Contender(name, run, least=70.0)


def dense(metrics: pd.DataFrame, connector: Connector, span: Window) -> tuple[pd.DataFrame, Floats]:
    """Series and their values (S, T) in the intervals of the span, 0 where no row is."""
    grouped = metrics.groupby(list(connector.dimensions), sort=True)
    keys = grouped.size().reset_index()[list(connector.dimensions)]
    step = np.timedelta64(connector.frequency, "us")
    since = metrics["interval_start"].to_numpy() - np.datetime64(naive(span.start), "us")
    values = np.zeros((len(keys), (span.end - span.start) // connector.frequency))
    values[grouped.ngroup().to_numpy(), since // step] = metrics[connector.measures[0].name]
    return keys, values


def _scores(
    keys: pd.DataFrame,
    values: Floats,
    middle: Floats,
    spread: Floats,
    starts: pd.DatetimeIndex,
    connector: Connector,
) -> pd.DataFrame:
    sigmas = (values - middle) / spread
    series, interval = np.nonzero(np.abs(sigmas) >= SIGMAS)
    far, value, usual = (each[series, interval] for each in (sigmas, values, middle))
    margin = SIGMAS * spread[series, interval]
    return pd.DataFrame(
        {
            "interval_start": starts.to_numpy()[interval],
            **{name: keys[name].to_numpy()[series] for name in keys},
            "measure": connector.measures[0].name,
            "value": value,
            "expected": usual,
            "lower": usual - margin,
            "upper": usual + margin,
            # 70 at three sigmas, 85 at 7.3, 95 at 24: one number for all rules of distance
            "severity": 100 * np.abs(far) / (np.abs(far) + SIGMAS * 3 / 7),
            "direction": np.where(far > 0, Direction.ABOVE.value, Direction.BELOW.value),
            "reason": "distance",
        }
    )


def _expected(
    past: Floats, slots: NDArray[np.int64], new: NDArray[np.int64]
) -> tuple[Floats, Floats]:
    """Mean and standard deviation (S, T) for new intervals in these slots."""
    middle, spread = np.empty((2, len(past), len(new)))
    for slot in np.unique(new):
        of_slot, where = past[:, slots == slot], new == slot
        middle[:, where] = of_slot.mean(axis=1, keepdims=True)
        spread[:, where] = of_slot.std(axis=1, keepdims=True)
    return middle, spread


CONTENDERS = (
    Contender("Bartizan", bartizan),
    three_sigma("3 sigma, hour of week", WEEK_HOURS),
    three_sigma("3 sigma, hour of day", 24),
    three_sigma("3 sigma, all hours", 1),
)
