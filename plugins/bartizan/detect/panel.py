"""Metric rows as dense arrays: one row per series, one column per interval."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bartizan.detect.values import Floats, Integers, aggregate
from bartizan.errors import ConfigError, UsageError
from bartizan.model.connector import Connector, Measure, Missing
from bartizan.model.window import Window, naive

Flags = NDArray[np.bool_]
Times = NDArray[np.datetime64]

__all__ = [
    "RESERVED", "TIME", "Flags", "Floats", "Integers", "Panel", "Times", "build_panel",
    "interval_starts",
]  # fmt: skip

TIME = "interval_start"
RESERVED = (
    TIME, "measure", "value", "expected", "lower", "upper", "severity", "direction", "reason",
)  # fmt: skip


@dataclass(frozen=True)
class Panel:
    """Series x intervals of one connector.

    `keys` (S rows) holds the dimension values; `times` (T) every interval start of the window;
    `covered` (T) whether the source delivered; `present` (S, T) whether the series had a row;
    `values` per measure (S, T), NaN where there is no value.
    """

    keys: pd.DataFrame
    times: Times
    covered: Flags
    present: Flags
    values: dict[str, Floats]

    def since(self, time: np.datetime64) -> Panel:
        """The intervals from a time on."""
        first = int(np.searchsorted(self.times, time))
        return Panel(
            self.keys,
            self.times[first:],
            self.covered[first:],
            self.present[:, first:],
            {name: values[:, first:] for name, values in self.values.items()},
        )


def interval_starts(window: Window, frequency: timedelta) -> Times:
    """Starts of all intervals that touch the window, naive UTC, datetime64[us]."""
    whole = window.aligned(frequency)
    first, end = np.datetime64(naive(whole.start), "us"), np.datetime64(naive(whole.end), "us")
    starts: Times = np.arange(first, end, np.timedelta64(frequency, "us"))
    return starts


def build_panel(
    frame: pd.DataFrame,
    connector: Connector,
    window: Window,
    covered: pd.DatetimeIndex | None = None,
    known: pd.DataFrame | None = None,
) -> Panel:
    """Arrange the rows of `window`; rows outside it are left alone.

    `covered` are the interval starts for which the source delivered; without it, those that have
    a row. `known` series (dimension columns, no duplicates) come first and in their order, the
    others follow in the order of their dimension values.

    Raises ConfigError for columns that do not fit the connector and UsageError for values that
    are not finite or times that are not interval starts.
    """
    _check(frame, connector)
    times = interval_starts(window, connector.frequency)
    column = _positions(frame, connector, times)
    inside = (column >= 0) & (column < len(times))
    frame, column = frame[inside], column[inside]
    keys, row = _series_of(frame, connector, known)
    size, flat = (len(keys), len(times)), row * len(times) + column
    present = np.bincount(flat, minlength=size[0] * size[1]).reshape(size)
    delivered: Flags = np.any(present, axis=0)
    if covered is not None:
        delivered = delivered | np.isin(times, covered.to_numpy(dtype="datetime64[us]"))
    values = {
        measure.name: _values(frame, measure, connector, flat, present, delivered)
        for measure in connector.measures
    }
    return Panel(keys, times, delivered, present > 0, values)


def _check(frame: pd.DataFrame, connector: Connector) -> None:
    taken = [name for name in connector.dimensions if name in RESERVED]
    if taken:
        raise ConfigError(
            f"{connector.name}: dimensions",
            f"{taken[0]!r} is a column of the scores",
            "rename the dimension in the query and the connector",
        )
    needed = [TIME, *connector.dimensions, *connector.value_columns]
    lacking = [name for name in needed if name not in frame.columns]
    if lacking:
        raise ConfigError(
            f"{connector.name}: metrics",
            f"column {lacking[0]!r} is missing",
            "make the query return every dimension and measure of the connector",
        )
    _check_values(frame, connector)
    for name in connector.dimensions:
        if frame[name].isna().any():
            raise UsageError(
                f"{connector.name}: dimension {name!r}",
                f"{int(frame[name].isna().sum())} of {len(frame)} values are missing",
                "replace NULL by a value in the query, for example coalesce(column, '')",
            )


def _check_values(frame: pd.DataFrame, connector: Connector) -> None:
    """Every number is finite, or NaN for none."""
    for name in sorted(set(connector.value_columns) - connector.text_columns):
        wrong = np.isinf(frame[name].to_numpy(dtype=float))
        if wrong.any():
            raise UsageError(
                f"{connector.name}: measure {name!r}",
                f"{int(wrong.sum())} of {len(frame)} values are infinite",
                "write no value instead",
            )


def _positions(frame: pd.DataFrame, connector: Connector, times: Times) -> Integers:
    since = frame[TIME].to_numpy(dtype="datetime64[us]") - times[0]
    step = np.timedelta64(connector.frequency, "us")
    astray = (since % step) != np.timedelta64(0, "us")
    if astray.any():
        raise UsageError(
            f"{connector.name}: {TIME}",
            f"{frame[TIME].to_numpy()[astray][0]} is not the start of an interval",
            f"round times down to multiples of {connector.frequency}",
        )
    positions: Integers = since // step
    return positions


def _series_of(
    frame: pd.DataFrame, connector: Connector, known: pd.DataFrame | None
) -> tuple[pd.DataFrame, Integers]:
    """All series and, for each row of the frame, the position of its series."""
    names = list(connector.dimensions)
    if not names:
        return pd.DataFrame(index=range(1)), np.zeros(len(frame), dtype=np.int64)
    found = frame[names].drop_duplicates().sort_values(names)
    keys = found if known is None else pd.concat([known[names], found])
    keys = keys.drop_duplicates().reset_index(drop=True)
    number = pd.concat([keys, frame[names]]).groupby(names, sort=False).ngroup().to_numpy()
    return keys, number[len(keys) :].astype(np.int64)


def _values(
    frame: pd.DataFrame,
    measure: Measure,
    connector: Connector,
    flat: Integers,
    present: NDArray[np.intp],
    covered: Flags,
) -> Floats:
    """Values (S, T) by the measure's aggregation and its policy for what is missing."""
    values = aggregate(frame, measure, flat, present.size).reshape(present.shape)
    values[present == 0] = 0.0 if measure.missing is Missing.ZERO else np.nan
    if measure.missing is Missing.CARRY:
        values = _carried(values, int(measure.carry_for / connector.frequency))
    values[:, ~covered] = np.nan
    return values


def _carried(values: Floats, limit: int) -> Floats:
    """NaN replaced by the last value of its series, at most `limit` intervals old."""
    place = np.arange(values.shape[1])
    last = np.maximum.accumulate(np.where(np.isnan(values), -1, place), axis=1)
    fresh = (last >= 0) & (place - last <= limit)
    carried: Floats = np.where(
        fresh, np.take_along_axis(values, np.maximum(last, 0), axis=1), np.nan
    )
    return carried
