"""Where an interval lies in the day and the week."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from bartizan.detect.panel import Floats, Integers, Times

HOURS = 24
DAY_TYPES = 2  # Monday to Friday, Saturday and Sunday
SLOTS = DAY_TYPES * HOURS
_HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Calendar:
    """Per interval (T): day type, hour of day, and the two hours to interpolate between; the date
    in days and the interval's number since 1970, and the weekday from Monday (0) on.

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
    frequency: timedelta

    @classmethod
    def of(cls, times: Times, frequency: timedelta) -> Calendar:
        date = times.astype("datetime64[D]").astype(np.int64)
        minute = (times - times.astype("datetime64[D]")) / np.timedelta64(1, "m")
        hour = (minute // 60).astype(np.int64)
        # 1970-01-01 was a Thursday.
        weekday = (date + 3) % 7
        day_type = (weekday >= 5).astype(np.int64)
        step = np.timedelta64(frequency, "us")
        number = times.astype("datetime64[us]").astype(np.int64) // step.astype(np.int64)
        rest = (date, weekday, number, frequency)
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

    @property
    def day_length(self) -> int:
        """Intervals a day."""
        return round(timedelta(days=1) / self.frequency)

    def spread(self, profile: Floats) -> Floats:
        """A profile (S, 2, 24) at every interval (S, T)."""
        left = profile[:, self.day_type, self.left]
        return left + self.share * (profile[:, self.day_type, self.right] - left)

    def blocks(self) -> tuple[NDArray[np.intp], Integers]:
        """Start position of each run of intervals of one hour, and that hour's slot (0-47)."""
        hour = self.date * HOURS + self.hour
        starts = np.flatnonzero(np.diff(hour, prepend=hour[:1] - 1))
        return starts, (self.day_type * HOURS + self.hour)[starts]
