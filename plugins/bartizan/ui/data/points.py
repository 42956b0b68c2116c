"""A stretch of time, interval by interval, beside the same a week before."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from math import ceil
from typing import Any

import pyarrow as pa

from bartizan.model.window import Window, aware

WEEK = timedelta(days=7)
_KNOWN = ("value", "expected", "lower", "upper", "severity", "direction", "reason")


@dataclass(frozen=True)
class Point:
    """One interval; None is unknown. The range from `lower` to `upper` is only of a single series;
    `severity`, `direction` and `reason` are of the most severe of several. `before` is the value a
    week before."""

    at: datetime
    value: float | None = None
    expected: float | None = None
    lower: float | None = None
    upper: float | None = None
    severity: float | None = None
    direction: str = ""
    reason: str = ""
    before: float | None = None


def points(
    sums: pa.Table, before: Mapping[datetime, float | None], step: timedelta
) -> tuple[Point, ...]:
    """Every interval from the first of `sums` to the last; `before` are values a week before."""
    rows = {aware(row["interval_start"]): row for row in sums.to_pylist()}
    if not rows:
        return ()
    first, last = min(rows), max(rows)
    times = (first + number * step for number in range(ceil((last - first) / step) + 1))
    return tuple(_point(at, rows.get(at), before.get(at - WEEK)) for at in times)


def _point(at: datetime, row: dict[str, Any] | None, before: float | None) -> Point:
    if row is None:
        return Point(at, before=before)
    return Point(at, **{name: row[name] for name in _KNOWN}, before=before)


def unusual_spans(points: Sequence[Point], step: timedelta, threshold: float) -> tuple[Window, ...]:
    """Where the severity is at the alert threshold, or goes on with what was."""
    return tuple(_spans(points, step, threshold))


def _spans(points: Iterable[Point], step: timedelta, threshold: float) -> Iterator[Window]:
    for unusual, group in groupby(points, key=lambda one: is_unusual(one, threshold)):
        if unusual:
            stretch = list(group)
            yield Window(stretch[0].at, stretch[-1].at + step)


def is_unusual(point: Point, threshold: float) -> bool:
    return (point.severity or 0.0) >= threshold or point.reason == "continues"
