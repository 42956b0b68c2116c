"""A stretch of time, interval by interval, beside the same a week before."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from math import ceil
from typing import Any

import pyarrow as pa

from bartizan.model.window import Window, aware, floor

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


def points(sums: pa.Table, window: Window, step: timedelta) -> tuple[Point, ...]:
    """Every interval of a window from the first that was scored to the last; `sums` are of the
    window and the week before."""
    rows = {aware(row["interval_start"]): row for row in sums.to_pylist()}
    scored = [at for at in rows if at in window]
    if not scored:
        return ()
    first, last = floor(min(scored), step), max(scored)
    times = (first + number * step for number in range(ceil((last - first) / step) + 1))
    return tuple(_point(at, rows.get(at), rows.get(at - WEEK)) for at in times)


def _point(at: datetime, row: dict[str, Any] | None, before: dict[str, Any] | None) -> Point:
    past = before["value"] if before else None
    if row is None:
        return Point(at, before=past)
    known = {name: row[name] for name in _KNOWN}
    return Point(at, **known, before=past)


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
