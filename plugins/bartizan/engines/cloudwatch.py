"""Amazon CloudWatch: metrics as rows, with the zeros that CloudWatch leaves out.

A service writes no datapoint where it has nothing to count: AWS WAF none while nothing is blocked.
Here a known series has a row in every period that is over; where it has no datapoint, it is 0.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from threading import Lock

import pyarrow as pa

from bartizan.described import parse
from bartizan.engines.base import EngineName, Scan
from bartizan.engines.cloudwatch_api import CloudWatchApi, Metric, Series
from bartizan.engines.cloudwatch_query import CloudWatchQuery
from bartizan.engines.cloudwatch_rows import Measured
from bartizan.engines.connections import CloudWatch
from bartizan.errors import ConfigError, UsageError
from bartizan.model.window import DAY, HOUR, Window, floor, format_time, naive

# How long CloudWatch keeps datapoints of periods from this length on: API reference, GetMetricData.
_KEPT = {
    timedelta(minutes=1): 15 * DAY,
    timedelta(minutes=5): 63 * DAY,
    HOUR: 455 * DAY,
}


class CloudWatchEngine:
    """Answers queries that are YAML, see CloudWatchQuery; `clock` tells which periods are over.

    Columns are timestamp (the start of a period), the query's dimensions as strings and its metrics
    as doubles. One engine lists the series of a query once, so all its windows have the same.
    """

    name = EngineName.CLOUDWATCH

    def __init__(
        self, connection: CloudWatch, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self.api = CloudWatchApi(connection.region)
        self._clock = clock
        self._known: dict[str, tuple[Series, ...]] = {}
        self._lock = Lock()

    def query(
        self,
        query: str,
        window: Window,
        origin: str = "query",
        given: Mapping[str, pa.Table] | None = None,
    ) -> pa.Table:
        """Rows of the periods that start in `window` and are over; see `Engine`.

        UsageError for a window further back than CloudWatch keeps datapoints.
        """
        if given:
            raise ConfigError(origin, "is no SQL and reads no given tables", "give it none")
        return self.measured(query, window, origin).rows()

    def measured(self, query: str, window: Window, origin: str = "query") -> Measured:
        """The datapoints of those periods. Raises as `query` does."""
        described = parse(query, origin, CloudWatchQuery)
        starts = self._starts(described, window)
        series = self._series(query, described) if starts else ()
        names = list(described.metrics.values())
        metrics = [Metric(described.namespace, name, one) for name in names for one in series]
        values = self.api.values(metrics, described.statistic, described.step, starts)
        shape = (len(names), len(series), len(starts))
        return Measured(described, series, starts, values.reshape(shape))

    def scans(self, query: str, window: Window, origin: str = "query") -> list[Scan]:
        """At most a row for each period of the series that are known now; see `Engine`."""
        described = parse(query, origin, CloudWatchQuery)
        rows = len(self._starts(described, window)) * len(self._series(query, described))
        return [Scan(described.namespace, None, rows, None)]

    def _starts(self, query: CloudWatchQuery, window: Window) -> tuple[datetime, ...]:
        """The starts, naive UTC, of the periods that start in the window and are over."""
        now, step = self._clock(), query.step
        _require_kept(step, window, now)
        periods = window.aligned(step).split(step)
        return tuple(naive(one.start) for one in periods if one.start in window and one.end <= now)

    def _series(self, query: str, described: CloudWatchQuery) -> tuple[Series, ...]:
        with self._lock:
            if query not in self._known:
                self._known[query] = tuple(self.api.list_series(described))
            return self._known[query]


def _require_kept(step: timedelta, window: Window, now: datetime) -> None:
    """Raises UsageError when the window is older than the datapoints of such periods get."""
    kept = max(kept for shortest, kept in _KEPT.items() if step >= shortest)
    if window.start < now - kept:
        oldest = format_time(floor(now - kept, step) + step)
        raise UsageError(
            f"window {window}",
            f"CloudWatch keeps datapoints of {step} for {kept.days} days",
            f"start at {oldest} or later" + ("" if step >= HOUR else ", or take PT1H (455 days)"),
        )
