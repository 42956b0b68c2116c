"""Writes the zeros that a service leaves out, for those who read CloudWatch without Bartizan.

They go to a namespace of one's own, under the names and dimensions of the originals: metric math
`SUM([original, zeros])` then has a value in every period. Never into `AWS/…`, whose metrics are
those of the services.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from bartizan.engines.cloudwatch_api import CloudWatchApi, Metric
from bartizan.engines.cloudwatch_rows import Measured
from bartizan.errors import UsageError
from bartizan.model.window import DAY, aware, format_time

# What PutMetricData takes: API reference. Namespaces that begin with AWS/ are those of services.
_NAMESPACE = re.compile(r"(?!(?i:aws/))[\w.\-/#][\w.\-/#: ]{0,254}", re.ASCII)
_OLDEST = 14 * DAY


@dataclass(frozen=True)
class Zeros:
    """Of the periods of all metrics: those that `have` a datapoint, those that are `there` as zeros
    already, and those that are `due`: written, unless it was a dry run."""

    namespace: str
    series: int
    have: int
    there: int
    due: int
    dry_run: bool


def publish_zeros(
    api: CloudWatchApi, measured: Measured, namespace: str, now: datetime, write: bool
) -> Zeros:
    """Write a zero for every metric and period of `measured` without a datapoint, once.

    What is in `namespace` already stays, so running it again writes nothing. Raises UsageError for
    a namespace of AWS, a query whose gaps are no zeros, and periods that are too old to be written.
    """
    _require_fit(measured, namespace, now)
    names = list(measured.query.metrics.values())
    metrics = [Metric(namespace, name, one) for name in names for one in measured.series]
    values = measured.values.reshape(len(metrics), len(measured.starts))
    has = ~np.isnan(values)
    written = api.values(metrics, "SampleCount", measured.query.step, measured.starts)
    there = ~np.isnan(written) & ~has
    due = ~has & ~there
    if write:
        _write(api, metrics, measured.starts, due)
    return Zeros(
        namespace=namespace,
        series=len(measured.series),
        have=int(has.sum()),
        there=int(there.sum()),
        due=int(due.sum()),
        dry_run=not write,
    )


def _write(
    api: CloudWatchApi, metrics: Sequence[Metric], starts: Sequence[datetime], due: np.ndarray
) -> None:
    data: dict[str, list[dict[str, Any]]] = {}
    for metric, period in np.argwhere(due):
        zero = {**metrics[metric].named(), "Timestamp": aware(starts[period]), "Value": 0.0}
        data.setdefault(metrics[metric].series.region, []).append(zero)
    for region, zeros in data.items():
        api.put(region, metrics[0].namespace, zeros)


def _require_fit(measured: Measured, namespace: str, now: datetime) -> None:
    query = measured.query
    if not _NAMESPACE.fullmatch(namespace) or namespace == query.namespace:
        raise UsageError("--to", f"{namespace!r} is no namespace of your own", "write Shop/Zeros")
    if not (query.fills_zeros and query.statistic == "Sum"):
        raise UsageError(
            "publish-zeros",
            f"{query.statistic} without a datapoint is no zero",
            "only connectors of statistic: Sum and fill: zero can",
        )
    if measured.starts and aware(measured.starts[0]) < now - _OLDEST:
        raise UsageError(
            "--start",
            f"{format_time(measured.starts[0])} is older than CloudWatch lets anyone write",
            f"start at {format_time(now - _OLDEST)} or later",
        )
