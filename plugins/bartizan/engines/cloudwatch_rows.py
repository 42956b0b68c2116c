"""What CloudWatch answered, as an array and as rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pyarrow as pa

from bartizan.engines.cloudwatch_api import Series
from bartizan.engines.cloudwatch_query import TIMESTAMP, CloudWatchQuery


@dataclass(frozen=True)
class Measured:
    """`values` by metric, series and period, NaN where there is no datapoint; `starts` are those of
    the periods, naive UTC."""

    query: CloudWatchQuery
    series: tuple[Series, ...]
    starts: tuple[datetime, ...]
    values: np.ndarray

    def rows(self) -> pa.Table:
        """A row for each period and series, in this order.

        What has no datapoint is 0 where the query fills zeros, else NULL, and a row of nothing but
        NULL is left out.
        """
        query, values = self.query, self.values
        if query.fills_zeros:
            values = np.nan_to_num(values, nan=0.0)
        there = ~np.isnan(values).all(axis=0)  # by series and period
        period, series = np.nonzero(there.T)
        columns = {TIMESTAMP: pa.array(self.starts, pa.timestamp("us")).take(pa.array(period))}
        for column, name in query.dimensions.items():
            texts = pa.array([query.value(one.values, name) for one in self.series], pa.string())
            columns[column] = texts.take(pa.array(series))
        for column, found in zip(query.metrics, values, strict=True):
            columns[column] = pa.array(found[series, period], pa.float64(), from_pandas=True)
        return pa.table(columns)
