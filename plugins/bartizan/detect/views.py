"""Two views of a series: each interval by itself, and the sum of the last few.

The sum finds weak change that persists. Each interval enters it pulled in to four standard
deviations, so that no single interval can carry it: a burst is the other view's business.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from bartizan.detect import counts, gauges
from bartizan.detect.calendar import Calendar
from bartizan.detect.panel import Flags, Floats, Integers
from bartizan.model.connector import Connector

PULL = 4.0
_SHORT = timedelta(minutes=10)
_HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Baseline:
    """What a measure's series usually do, S rows in the order of the state's keys.

    `mean` (S, 2, 24) per interval. For counts `doubt` (S, 2, 24) and the dispersions (S) are
    variances relative to the squared mean; for gauges they are absolute and `doubt` is zero.
    """

    is_count: bool
    mean: Floats
    doubt: Floats
    dispersion: Floats
    sum_dispersion: Floats

    def of(self, rows: Integers) -> Baseline:
        return Baseline(
            self.is_count,
            self.mean[rows],
            self.doubt[rows],
            self.dispersion[rows],
            self.sum_dispersion[rows],
        )


@dataclass(frozen=True)
class View:
    """Values and what is expected of them, (S, T); NaN where the view has nothing to say."""

    value: Floats
    mean: Floats
    dispersion: Floats
    is_count: bool

    def above(self) -> Floats:
        """Probability of more than this."""
        tail = counts.tail_above if self.is_count else gauges.tail_above
        return tail(self.value, self.mean, self.dispersion)

    def below(self) -> Floats:
        """Probability of less than this."""
        if self.is_count:
            return counts.tail_below(self.value, self.mean, self.dispersion)
        return gauges.tail_above(-self.value, -self.mean, self.dispersion)

    @property
    def variance(self) -> Floats:
        if self.is_count:
            return self.mean + self.dispersion * self.mean**2
        return self.dispersion

    def tail_where(self, wanted: Flags, up: bool) -> Floats:
        """Tail probability (S, T) on one side at the wanted places, 1 elsewhere."""
        some = View(self.value[wanted], self.mean[wanted], self.dispersion[wanted], self.is_count)
        result = np.ones_like(self.value)
        result[wanted] = some.above() if up else some.below()
        return result


def sum_length(frequency: timedelta) -> int:
    """Intervals in the sum: 6 up to 10 minutes, 3 up to an hour, else 1 (no sum)."""
    if frequency <= _SHORT:
        return 6
    return 3 if frequency <= _HOUR else 1


def connector_context(connector: Connector) -> timedelta:
    """How long before a window `score` must see, for the sums of the window's first intervals and
    the values that are carried into them."""
    sums = (sum_length(connector.frequency) - 1) * connector.frequency
    return sums + max(measure.carry_for for measure in connector.measures)


def single_view(values: Floats, baseline: Baseline, calendar: Calendar) -> View:
    mean = calendar.spread(baseline.mean)
    dispersion = baseline.dispersion[:, None] + calendar.spread(baseline.doubt)
    return View(values, mean, dispersion, baseline.is_count)


def sum_view(single: View, baseline: Baseline, calendar: Calendar, length: int) -> View:
    """Sums of `length` intervals ending with each; NaN where one of them has no value."""
    total = rolling_sum(pulled_in(single), length)
    mean = rolling_sum(single.mean, length)
    dispersion = baseline.sum_dispersion[:, None] + calendar.spread(baseline.doubt)
    return View(total, mean, dispersion, baseline.is_count)


def pulled_in(single: View) -> Floats:
    reach = PULL * np.sqrt(single.variance)
    lowest = single.mean - reach
    return np.clip(single.value, np.maximum(lowest, 0) if single.is_count else lowest,
                   single.mean + reach)  # fmt: skip


def rolling_sum(values: Floats, length: int) -> Floats:
    """Sum of each column and the `length - 1` before it; NaN in the first ones."""
    total = np.full_like(values, np.nan)
    if values.shape[1] < length:
        return total
    # Added in a fixed order: a running sum would depend on where the window starts.
    columns = values.shape[1] - length + 1
    total[:, length - 1 :] = sum(values[:, i : i + columns] for i in range(length))
    return total
