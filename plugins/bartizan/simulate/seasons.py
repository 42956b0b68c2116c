"""How busy a site is over the day and the week, and how restless.

A day has 288 slots of 5 minutes, UTC. Counts are gamma-mixed Poisson (negative binomial) around
an expected rate that itself drifts slowly, the usual model of over-dispersed request counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from bartizan.simulate.seeds import generator

SLOTS = 288
SLOTS_PER_HOUR = 12

Rates = NDArray[np.float64]
Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Season:
    """`peaks` are (UTC hour, width in hours, height over `floor`); `weekend` is Saturday's and
    Sunday's volume as a multiple of a weekday's."""

    peaks: tuple[tuple[float, float, float], ...]
    floor: float
    weekend: float

    def curve(self, day: date) -> Rates:
        """Relative volume of each slot of the day; the mean over a whole week is 1."""
        hours = (np.arange(SLOTS) + 0.5) / SLOTS_PER_HOUR
        shape = np.full(SLOTS, self.floor)
        for hour, width, height in self.peaks:
            distance = np.abs((hours - hour + 12) % 24 - 12)
            shape += height * np.exp(-0.5 * (distance / width) ** 2)
        of_day = (self.weekend if day.weekday() >= 5 else 1.0) * 7 / (5 + 2 * self.weekend)
        curve: Rates = shape / shape.mean() * of_day
        return curve


@dataclass(frozen=True)
class Noise:
    """`drift` is the standard deviation of the slow log-rate, `shape` the gamma shape of a slot
    (variance of the mixed rate is rate squared over shape)."""

    drift: float
    shape: float

    def factors(self, seed: int, name: str, day: date) -> Rates:
        """What the expected rate of each slot is multiplied with.

        The drift runs through hourly knots; the last knot of a day is the first of the next, so
        midnight has no seam.
        """
        draws = generator(seed, "noise", name, day.toordinal())
        tomorrow = generator(seed, "noise", name, day.toordinal() + 1)
        knots = np.append(draws.standard_normal(24), tomorrow.standard_normal())
        hours = np.arange(SLOTS) / SLOTS_PER_HOUR
        drift = np.exp(self.drift * np.interp(hours, np.arange(25), knots))
        factors: Rates = drift * draws.gamma(self.shape, 1 / self.shape, SLOTS)
        return factors
