"""Whole intervals of windows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from bartizan.model.window import Window, floor, merged


def touched_intervals(
    windows: Sequence[Window], frequency: timedelta, until: datetime
) -> list[Window]:
    """The whole intervals that the windows touch and that end by `until`.

    An hour touches a daily interval, which is whole once its last hour is there.
    """
    aligned = merged(window.aligned(frequency) for window in windows)
    last = floor(until, frequency)
    return [
        Window(window.start, min(window.end, last)) for window in aligned if window.start < last
    ]


def whole_intervals(windows: Sequence[Window], frequency: timedelta) -> list[Window]:
    """The windows cut to whole intervals; what is shorter than one is left out."""
    inner = []
    for window in merged(windows):
        start = floor(window.start + frequency - timedelta(microseconds=1), frequency)
        end = floor(window.end, frequency)
        if start < end:
            inner.append(Window(start, end))
    return inner
