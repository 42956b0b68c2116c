"""CloudWatch's API: which series there are, their datapoints, and datapoints to be put.

Limits and status codes as in the CloudWatch API reference: ListMetrics, GetMetricData,
PutMetricData.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Any

import numpy as np

from bartizan.engines.aws import calling, client
from bartizan.engines.cloudwatch_query import CloudWatchQuery
from bartizan.errors import TransientError, UsageError
from bartizan.model.window import aware, naive

_QUERIES = 500  # of one GetMetricData
_FILTERS = 10  # of one ListMetrics
_DATAPOINTS = 1000  # of one PutMetricData


@dataclass(frozen=True, order=True)
class Series:
    """Dimensions and their values, sorted by name, in a region."""

    region: str
    dimensions: tuple[tuple[str, str], ...]

    @property
    def values(self) -> dict[str, str]:
        return dict(self.dimensions)


@dataclass(frozen=True)
class Metric:
    """A metric of one series."""

    namespace: str
    name: str
    series: Series

    def as_json(self) -> dict[str, Any]:
        """As the API writes it in a query."""
        return {"Namespace": self.namespace, **self.named()}

    def named(self) -> dict[str, Any]:
        """As the API writes it in a datapoint."""
        pairs = [{"Name": name, "Value": value} for name, value in self.series.dimensions]
        return {"MetricName": self.name, "Dimensions": pairs}


class CloudWatchApi:
    """Clients by region, made when first used; threads may share them. `home` is the region of
    those who name none, None for boto3's own."""

    def __init__(self, home: str | None) -> None:
        self._home = home
        self._clients: dict[str | None, Any] = {}
        self._lock = Lock()

    def list_series(self, query: CloudWatchQuery) -> list[Series]:
        """The series of a query, in order. ListMetrics shows those that had a datapoint in the last
        two weeks."""
        found: set[Series] = set()
        sure = sorted(query.dimension_names - query.absent.keys())[:_FILTERS]
        regions: Sequence[str | None] = query.regions or [self._home]
        for region in regions:
            cloudwatch = self._client(region)
            with calling("cloudwatch:ListMetrics"):
                for name in query.metrics.values():
                    pages = cloudwatch.get_paginator("list_metrics").paginate(
                        Namespace=query.namespace,
                        MetricName=name,
                        Dimensions=[{"Name": dimension} for dimension in sure],
                    )
                    found |= set(_series(pages, query, cloudwatch.meta.region_name))
        return sorted(found)

    def values(
        self,
        metrics: Sequence[Metric],
        statistic: str,
        period: timedelta,
        starts: Sequence[datetime],
    ) -> np.ndarray:
        """Values by metric and by period, of which `starts` are consecutive and naive UTC; NaN
        where there is no datapoint.

        Raises TransientError when CloudWatch did not answer all of it.
        """
        values = np.full((len(metrics), len(starts)), np.nan)
        for region in sorted({metric.series.region for metric in metrics} if starts else ()):
            places = [n for n, metric in enumerate(metrics) if metric.series.region == region]
            for first in range(0, len(places), _QUERIES):
                batch = places[first : first + _QUERIES]
                asked = {f"m{place}": metrics[place] for place in batch}
                with calling("cloudwatch:GetMetricData"):
                    results = self._results(region, asked, statistic, period, starts)
                _require_complete(results, asked)
                for result in results:
                    times = [(naive(time) - starts[0]) // period for time in result["Timestamps"]]
                    values[int(result["Id"].removeprefix("m")), times] = result["Values"]
        return values

    def put(self, region: str, namespace: str, data: Sequence[dict[str, Any]]) -> None:
        """Write datapoints, each a MetricDatum of the API."""
        cloudwatch = self._client(region)
        with calling("cloudwatch:PutMetricData"):
            for first in range(0, len(data), _DATAPOINTS):
                part = data[first : first + _DATAPOINTS]
                cloudwatch.put_metric_data(Namespace=namespace, MetricData=part)

    def _results(
        self,
        region: str,
        asked: Mapping[str, Metric],
        statistic: str,
        period: timedelta,
        starts: Sequence[datetime],
    ) -> list[dict[str, Any]]:
        """MetricDataResults of all pages; a metric may be in several."""
        seconds = int(period.total_seconds())
        pages = self._client(region).get_paginator("get_metric_data")
        answers = pages.paginate(
            MetricDataQueries=[
                {
                    "Id": key,
                    "MetricStat": {
                        "Metric": metric.as_json(),
                        "Period": seconds,
                        "Stat": statistic,
                    },
                }
                for key, metric in asked.items()
            ],
            StartTime=aware(starts[0]),
            EndTime=aware(starts[-1]) + period,
            ScanBy="TimestampAscending",
        )
        return [result for answer in answers for result in answer["MetricDataResults"]]

    def _client(self, region: str | None) -> Any:
        with self._lock:  # boto3 makes clients in one thread at a time
            if region not in self._clients:
                self._clients[region] = client("cloudwatch", region)
            return self._clients[region]


def _series(
    pages: Iterable[Mapping[str, Any]], query: CloudWatchQuery, region: str
) -> Iterator[Series]:
    for metric in (metric for page in pages for metric in page["Metrics"]):
        dimensions = {one["Name"]: one["Value"] for one in metric.get("Dimensions", [])}
        if query.takes(dimensions):
            yield Series(region, tuple(sorted(dimensions.items())))


def _require_complete(results: Sequence[dict[str, Any]], asked: Mapping[str, Metric]) -> None:
    """PartialData has a next page, so the last state of each metric is what counts."""
    states = dict.fromkeys(asked, "no answer")
    states |= {result["Id"]: result.get("StatusCode", "Complete") for result in results}
    for key, state in states.items():
        what = "cloudwatch:GetMetricData"
        if state == "Forbidden":
            raise UsageError(what, f"{asked[key].name} is forbidden", "grant the access")
        if state != "Complete":
            raise TransientError(what, f"{asked[key].name} ended in {state}", "retry later")
