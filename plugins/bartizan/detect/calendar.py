"""Where an interval lies in the day and the week of a time zone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bartizan.detect.panel import Floats, Integers, Times
from bartizan.model.calendar_entries import UTC

HOURS = 24
DAY_TYPES = 2  # Monday to Friday, Saturday and Sunday
SLOTS = DAY_TYPES * HOURS
_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Calendar:
    """Per interval (T): day type, hour of day, and the two hours to interpolate between; the date
    in days and the interval's number since 1970, and the weekday from Monday (0) on. All but the
    number, which goes on evenly when clocks change, are those of the time zone; an interval of a
    day is of the date and weekday of its middle.

    A profile gives the mean of a whole hour, which belongs to the middle of that hour; shorter
    intervals take a weighted mean, `share` of hour `right` and the rest of hour `left`.
    """

    day_type: Integers
    hour: Integers
    left: Integers
    right: Integers
    share: Floats
    date: Integers
    weekday: Integers
    number: Integers
    local_number: Integers
    frequency: timedelta

    @classmethod
    def of(cls, times: Times, frequency: timedelta, timezone: str = UTC) -> Calendar:
        step = np.timedelta64(frequency, "us")
        local = _local(times, timezone) if frequency < _DAY else _local(times + step // 2, timezone)
        midnight = local.astype("datetime64[D]")
        date = midnight.astype(np.int64)
        minute = (local - midnight) / np.timedelta64(1, "m")
        if frequency >= _DAY:
            minute = np.zeros(len(times))
        hour = (minute // 60).astype(np.int64)
        # 1970-01-01 was a Thursday.
        weekday = (date + 3) % 7
        day_type = (weekday >= 5).astype(np.int64)
        number = _number(times, step)
        rest = (date, weekday, number, _number(local, step), frequency)
        if frequency >= _HOUR:
            return cls(day_type, hour, hour, hour, np.zeros(len(times)), *rest)
        middle = (minute + frequency / timedelta(minutes=2)) / 60 - 0.5
        left = np.floor(middle)
        return cls(
            day_type,
            hour,
            (left % HOURS).astype(np.int64),
            ((left + 1) % HOURS).astype(np.int64),
            middle - left,
            *rest,
        )

    def counted(self, period: int) -> Integers:
        """The intervals' numbers, by which a period of so many of them goes: one that fits into
        days goes by the time zone's clock, any other evenly."""
        day = self.day_length
        return self.local_number if period % day == 0 or day % period == 0 else self.number

    @property
    def day_length(self) -> int:
        """Intervals a day."""
        return round(timedelta(days=1) / self.frequency)

    def spread(self, profile: Floats) -> Floats:
        """A profile (S, 2, 24) at every interval (S, T)."""
        left = profile[:, self.day_type, self.left]
        if not self.share.any():  # whole hours
            return left
        return left + self.share * (profile[:, self.day_type, self.right] - left)

    def edge(self, profile: Floats) -> Floats:
        """Variance (S, T) of a profile (S, 2, 24) that changes at an unknown time between the
        middles of two hours."""
        step = profile[:, self.day_type, self.right] - profile[:, self.day_type, self.left]
        result: Floats = self.share * (1 - self.share) * step**2
        return result

    def blocks(self) -> tuple[NDArray[np.intp], Integers]:
        """Start position of each run of intervals of one hour, and that hour's slot (0-47)."""
        hour = self.date * HOURS + self.hour
        starts = np.flatnonzero(np.diff(hour, prepend=hour[:1] - 1))
        return starts, (self.day_type * HOURS + self.hour)[starts]


def _local(times: Times, timezone: str) -> Times:
    """Wall times of the zone (naive) at instants (naive UTC)."""
    if timezone == UTC:
        return times
    wall = pd.DatetimeIndex(times, tz=UTC).tz_convert(timezone).tz_localize(None)
    local: Times = wall.to_numpy(dtype="datetime64[us]")
    return local


def _number(times: Times, step: np.timedelta64) -> Integers:
    """How many intervals after 1970 each is."""
    number: Integers = times.astype("datetime64[us]").astype(np.int64) // step.astype(np.int64)
    return number
