"""The chart of a series as SVG, made of numbers only; the page's style colours it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from math import ceil, floor, log10

from markupsafe import Markup

from bartizan.model.text import number
from bartizan.model.window import Window
from bartizan.ui.data.marks import Mark
from bartizan.ui.data.points import Point, is_unusual

WIDTH, HEIGHT = 1000, 300
LEFT, RIGHT, TOP, BOTTOM = 62, 8, 10, 26  # around the drawing
TICKS = 8
_NICE = (1, 2, 2.5, 5, 10)

Read = Callable[[Point], float | None]


@dataclass(frozen=True)
class Scale:
    """From times and values to places in the drawing."""

    start: datetime
    end: datetime
    low: float
    high: float

    def x(self, at: datetime) -> float:
        part = (at - self.start) / (self.end - self.start)
        return round(LEFT + part * (WIDTH - LEFT - RIGHT), 1)

    def y(self, value: float) -> float:
        part = (value - self.low) / (self.high - self.low)
        return round(HEIGHT - BOTTOM - part * (HEIGHT - TOP - BOTTOM), 1)


def chart(
    points: Sequence[Point],
    spans: Iterable[Window],
    step: timedelta,
    threshold: float,
    marks: Iterable[Mark] = (),
) -> Markup:
    """An `<svg>`: the range, anomaly spans, last week, expected, value, and where marks are; ""
    without points."""
    if not points:
        return Markup("")
    scale = _scale(points, step)
    half = step / 2
    parts = [
        *_spans(scale, spans),
        *_value_axis(scale),
        *_time_axis(scale),
        *_band(scale, points, half),
        *_line(scale, points, half, "before", lambda one: one.before),
        *_line(scale, points, half, "expected", lambda one: one.expected),
        *_line(scale, points, half, "value", lambda one: one.value),
        *_unusual(scale, points, half, threshold),
        *_marks(scale, marks),
    ]
    head = f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="Observed and expected">'
    return Markup(head + "".join(parts) + "</svg>")  # no text of the log is in it


def _scale(points: Sequence[Point], step: timedelta) -> Scale:
    known = [
        value
        for one in points
        for value in (one.value, one.expected, one.upper, one.before)
        if value is not None
    ]
    low, high = min([*known, 0.0]), max([*known, 0.0])
    unit = _nice((high - low or 1.0) / 4)
    return Scale(
        points[0].at,
        points[-1].at + step,
        floor(low / unit) * unit,
        max(ceil(high / unit), 1) * unit,
    )


def _nice(size: float) -> float:
    """The least of 1, 2, 2.5, 5 and powers of ten of them that is at least `size`."""
    power = 10.0 ** floor(log10(size))
    return next(one * power for one in _NICE if one * power >= size * 0.999)


def _spans(scale: Scale, spans: Iterable[Window]) -> Iterator[str]:
    for one in spans:
        left, right = scale.x(one.start), scale.x(one.end)
        height = HEIGHT - TOP - BOTTOM
        width = max(right - left, 2.0)
        yield f'<rect class="anomaly" x="{left}" y="{TOP}" width="{width:.1f}" height="{height}"/>'


def _value_axis(scale: Scale) -> Iterator[str]:
    unit = _nice((scale.high - scale.low) / 5)
    for count in range(round((scale.high - scale.low) / unit) + 1):
        value = scale.low + count * unit
        y = scale.y(value)
        yield f'<line class="line" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}"/>'
        yield f'<text x="{LEFT - 8}" y="{y + 4}" text-anchor="end">{number(value)}</text>'


def _time_axis(scale: Scale) -> Iterator[str]:
    part = (scale.end - scale.start) / TICKS
    form = "%d %b" if part >= timedelta(days=1) else "%d %b %H:%M"
    for count in range(TICKS):
        at = scale.start + count * part
        yield f'<text x="{scale.x(at)}" y="{HEIGHT - 8}">{at.strftime(form)}</text>'


def _band(scale: Scale, points: Iterable[Point], half: timedelta) -> Iterator[str]:
    for known, group in groupby(points, key=lambda one: None not in (one.lower, one.upper)):
        if known:
            stretch = list(group)
            upper = [_place(scale, one, half, one.upper or 0.0) for one in stretch]
            low = max(scale.low, 0.0)
            lower = [_place(scale, one, half, max(one.lower or 0.0, low)) for one in stretch]
            yield f'<polygon class="band" points="{" ".join([*upper, *reversed(lower)])}"/>'


def _line(
    scale: Scale, points: Iterable[Point], half: timedelta, kind: str, read: Read
) -> Iterator[str]:
    """A line that breaks where values are unknown."""
    for known, group in groupby(points, key=lambda one: read(one) is not None):
        if known:
            places = " ".join(_place(scale, one, half, read(one) or 0.0) for one in group)
            yield f'<polyline class="{kind}" points="{places}"/>'


def _marks(scale: Scale, marks: Iterable[Mark]) -> Iterator[str]:
    """A line for what has no length, a strip on the time axis for what has."""
    for one in marks:
        start, end = max(one.window.start, scale.start), min(one.window.end, scale.end)
        left, right, low = scale.x(start), scale.x(end), HEIGHT - BOTTOM
        if start >= end:
            continue
        if one.is_moment:
            kind = one.kind
            yield f'<line class="{kind}" x1="{left}" x2="{left}" y1="{TOP}" y2="{low}"/>'
        else:
            width = max(right - left, 2.0)
            yield f'<rect class="lasting" x="{left}" y="{low}" width="{width:.1f}" height="4"/>'


def _unusual(
    scale: Scale, points: Iterable[Point], half: timedelta, threshold: float
) -> Iterator[str]:
    for one in points:
        if one.value is not None and is_unusual(one, threshold):
            x, y = scale.x(one.at + half), scale.y(one.value)
            yield f'<circle class="point" cx="{x}" cy="{y}" r="4"/>'


def _place(scale: Scale, point: Point, half: timedelta, value: float) -> str:
    return f"{scale.x(point.at + half)},{scale.y(value)}"


def change_bar(change: float, longest: float) -> Markup:
    """A bar to the right of the middle for a rise, to the left for a fall, as part of `longest`."""
    length = 50 * abs(change) / longest if longest else 0.0
    kind, left = ("up", 50.0) if change >= 0 else ("down", 50 - length)
    return Markup(
        '<svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect class="{kind}" x="{left:.1f}" y="1" width="{length:.1f}" height="8"/>'
        '<line class="axis" x1="50" x2="50" y1="0" y2="10"/></svg>'
    )
