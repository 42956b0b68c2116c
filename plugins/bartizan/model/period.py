"""The periods that digests are of."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from bartizan.model.window import DAY, Window, floor

_WEEK = timedelta(days=7)
_MONDAY = timedelta(days=4)  # after the Thursday that 1970 began with


class Period(StrEnum):
    DAILY = "daily"
    WEEKLY = "weekly"  # from Monday on

    def last(self, now: datetime) -> Window:
        """The last whole one before `now`, in UTC."""
        if self is Period.DAILY:
            end = floor(now, DAY)
            return Window(end - DAY, end)
        end = floor(now - _MONDAY, _WEEK) + _MONDAY
        return Window(end - _WEEK, end)
