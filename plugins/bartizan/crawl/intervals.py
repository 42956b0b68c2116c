"""Whole intervals of windows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from bartizan.model.window import Window, floor, merged


def whole_intervals(windows: Sequence[Window], frequency: timedelta) -> list[Window]:
    """The windows cut to whole intervals; what is shorter than one is left out."""
    inner = []
    for window in merged(windows):
        start = floor(window.start + frequency - timedelta(microseconds=1), frequency)
        end = floor(window.end, frequency)
        if start < end:
            inner.append(Window(start, end))
    return inner
