"""Metric rows as dense arrays: one row per series, one column per interval."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bartizan.detect.series import number_series
from bartizan.detect.values import Floats, Integers, aggregate
from bartizan.errors import ConfigError, UsageError
from bartizan.model.connector import Connector, Measure, Missing
from bartizan.model.window import Window, naive

Flags = NDArray[np.bool_]
Times = NDArray[np.datetime64]

__all__ = [
    "FEEDBACK", "RAW_SEVERITY", "RESERVED", "TIME", "Flags", "Floats", "Integers", "Panel", "Rows",
    "Times", "arrange", "interval_starts",
]  # fmt: skip

TIME = "interval_start"
RAW_SEVERITY, FEEDBACK = "raw_severity", "feedback"  # only where feedback changed scores
RESERVED = (
    TIME, "measure", "value", "expected", "lower", "upper", "severity", "direction", "reason",
    RAW_SEVERITY, FEEDBACK,
)  # fmt: skip


@dataclass(frozen=True)
class Panel:
    """Series x intervals of one connector.

    `keys` (S rows) holds the dimension values, its index the positions of the series among all;
    `times` (T) every interval start of the window; `covered` (T) whether the source delivered;
    `present` (S, T) whether the series had a row;
    `values` per measure (S, T), NaN where there is no value.
    """

    keys: pd.DataFrame
    times: Times
    covered: Flags
    present: Flags
    values: dict[str, Floats]


@dataclass(frozen=True)
class Rows:
    """The metric rows of a window, of which panels are made shard by shard.

    `keys` (S rows), `times` and `covered` (T) are those of the whole panel. A shard is `size`
    series, one after the other; those of shard n have the `cell` (series of the shard x T) and the
    `values` from `starts[n]` up to `starts[n + 1]`.
    """

    connector: Connector
    keys: pd.DataFrame
    times: Times
    covered: Flags
    size: int
    cell: Integers
    values: pd.DataFrame
    starts: Integers

    @property
    def shards(self) -> int:
        return len(self.starts) - 1

    def span(self, shard: int) -> slice:
        """Positions of a shard's series."""
        return slice(shard * self.size, min((shard + 1) * self.size, len(self.keys)))

    def panel(self, shard: int) -> Panel:
        span = self.span(shard)
        rows = slice(self.starts[shard], self.starts[shard + 1])
        shape = (span.stop - span.start, len(self.times))
        cell, frame = self.cell[rows], self.values.iloc[rows]
        present = np.zeros(shape, dtype=np.bool_)
        present.reshape(-1)[cell] = True
        values = {
            measure.name: _values(frame, measure, self.connector, cell, present, self.covered)
            for measure in self.connector.measures
        }
        return Panel(self.keys.iloc[span], self.times, self.covered, present, values)


def interval_starts(window: Window, frequency: timedelta) -> Times:
    """Starts of all intervals that touch the window, naive UTC, datetime64[us]."""
    whole = window.aligned(frequency)
    first, end = np.datetime64(naive(whole.start), "us"), np.datetime64(naive(whole.end), "us")
    starts: Times = np.arange(first, end, np.timedelta64(frequency, "us"))
    return starts


def arrange(
    frame: pd.DataFrame,
    connector: Connector,
    window: Window,
    covered: pd.DatetimeIndex | None = None,
    known: pd.DataFrame | None = None,
    size: int | None = None,
) -> Rows:
    """Arrange the rows of `window` in shards of `size` series, or in one; rows outside it are left
    alone.

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
    if not inside.all():
        frame, column = frame[inside], column[inside]
    keys, series = number_series(frame, connector.dimensions, known)
    delivered: Flags = np.bincount(column, minlength=len(times)) > 0
    if covered is not None:
        delivered = delivered | np.isin(times, covered.to_numpy(dtype="datetime64[us]"))
    size = size or max(len(keys), 1)
    shard, place = np.divmod(series, size)
    cell, values = place * len(times) + column, frame[list(connector.value_columns)]
    shards = max(-(-len(keys) // size), 1)
    if shards > 1:
        order = np.argsort(shard.astype(np.uint32 if shards > 2**16 else np.uint16), kind="stable")
        cell, values = cell[order], values.take(order)
    starts = np.concatenate([[0], np.cumsum(np.bincount(shard, minlength=shards))])
    return Rows(connector, keys, times, delivered, size, cell, values, starts)


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


def _values(
    frame: pd.DataFrame,
    measure: Measure,
    connector: Connector,
    cell: Integers,
    present: Flags,
    covered: Flags,
) -> Floats:
    """Values (S, T) by the measure's aggregation and its policy for what is missing."""
    values = aggregate(frame, measure, cell, present.size).reshape(present.shape)
    values[~present] = 0.0 if measure.missing is Missing.ZERO else np.nan
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
