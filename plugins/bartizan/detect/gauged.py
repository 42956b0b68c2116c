"""Gauges: seasons, an autoregression and Student's t; skew values are transformed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.special import stdtr, stdtrit

from bartizan.detect.calendar import Calendar
from bartizan.detect.forecast import Forecast, Memory, advance, begin, fit_forecast, spread_of
from bartizan.detect.movement import Moved, Movement, begin_moving, fit_movement, move
from bartizan.detect.outlook import TESTS, Outlook, smooth, spans
from bartizan.detect.panel import Flags, Floats
from bartizan.detect.ranks import medians, quantiles
from bartizan.detect.season import Season, fit_season
from bartizan.detect.severity import rarity

FREEDOM = 5.0  # degrees of freedom of the tail
FREEDOM_OF = np.repeat([FREEDOM, 20.0], [3, 1])[:, None, None]  # steps have no tail beyond PULL
STUCK = TESTS.index("stuck")
PULL = 4.0  # no interval counts further in a smoothed mean
PART = 0.6  # an interval belongs to a sustained change when it has this part of the mean change
LEAST_SMOOTH = 0.1  # no smoothed deviation is known better, in spreads of an interval
SKEW = 3.0  # the upper tail is so many times as long as the lower: a matter of factors
ROUNDING = 1e-5  # relative to the level: narrower spreads would judge rounding


@dataclass(frozen=True)
class GaugeMemory:
    """Of S series: what the forecast remembers, smoothed deviations (S, 2), and how they moved."""

    forecast: Memory
    smoothed: Floats
    moved: Moved


@dataclass(frozen=True)
class Gauged:
    """Of S series: `unit` (S), 0 where values are taken as they are, else they become
    asinh(value / unit); the season and the forecast of what they become; the spreads (S, 2) of
    smoothed deviations; and how they move.
    """

    SHARPEN: ClassVar = True
    TESTS: ClassVar = 8

    unit: Floats
    season: Season
    forecast: Forecast
    smooth_spread: Floats
    movement: Movement

    def begin(self) -> GaugeMemory:
        still = begin_moving(self.movement)
        return GaugeMemory(begin(self.forecast), np.zeros_like(self.smooth_spread), still)

    def follow(
        self, memory: GaugeMemory, values: Floats, calendar: Calendar
    ) -> tuple[Outlook, GaugeMemory]:
        season = self.season.at(calendar)
        known = _transformed(values, self.unit)
        deviation = known - season
        step, end = advance(self.forecast, memory.forecast, deviation, calendar.day_length)
        distance = step.error / step.spread
        away = [distance]
        matters: list[Flags] = [distance > 1, distance < -1]
        pulled = np.clip(step.drift, -PULL, PULL)
        smoothed = []
        for number, span in enumerate(spans(calendar.frequency)):
            mean, last = smooth(pulled, span, memory.smoothed[:, number])
            smoothed.append(last)
            away.append(mean / self.smooth_spread[:, [number]])
            matters += [
                (mean > 0) & (step.drift >= PART * mean),
                (mean < 0) & (step.drift <= PART * mean),
            ]
        strange, rest, restless, stuck, moved = move(
            self.movement, memory.moved, known, spans(calendar.frequency)[1]
        )
        away.append(strange)
        matters += [restless, stuck]
        rare = _rare(np.stack(away), np.isnan(deviation))
        rare[STUCK] = np.maximum(rare[STUCK], rest)
        outlook = Outlook(season + step.expected, step.spread, rare, np.stack(matters))
        return outlook, GaugeMemory(end, np.stack(smoothed, axis=1), moved)

    def expected(self, outlook: Outlook) -> Floats:
        return _back(outlook.centre, self.unit)

    def band(self, outlook: Outlook, below: Floats, above: Floats) -> tuple[Floats, Floats]:
        lower = outlook.centre + stdtrit(FREEDOM, below) * outlook.spread
        upper = outlook.centre - stdtrit(FREEDOM, above) * outlook.spread
        return _back(lower, self.unit), _back(upper, self.unit)


def fit_gauged(values: Floats, calendar: Calendar) -> Gauged:
    """Learn from values (S, T), NaN where unknown."""
    unit = _unit(values)
    known = _transformed(values, unit)
    season = fit_season(known, calendar)
    deviation = known - season.at(calendar)
    least = ROUNDING * medians(np.abs(known)) + 1e-9
    forecast = fit_forecast(deviation, calendar.day_length, least)
    step, _ = advance(forecast, begin(forecast), deviation, calendar.day_length)
    pulled = np.clip(step.drift, -PULL, PULL)
    spreads = [
        spread_of(
            smooth(pulled, span, np.zeros(len(values)))[0], np.full(len(values), LEAST_SMOOTH)
        )
        for span in spans(calendar.frequency)
    ]
    movement = fit_movement(known, spans(calendar.frequency)[1])
    return Gauged(unit, season, forecast, np.stack(spreads, axis=1), movement)


def _rare(away: Floats, unknown: Flags) -> Floats:
    """Rarity (8, S, T) of distances (4, S, T), each upwards and downwards."""
    tail = stdtr(FREEDOM_OF, -np.abs(away))
    tail[:, unknown] = np.nan
    up = away > 0
    beyond = np.where([up, ~up], tail, 1 - tail)
    return rarity(beyond.swapaxes(0, 1).reshape(-1, *unknown.shape))


def _unit(values: Floats) -> Floats:
    """The unit (S) below which values are linear and above which they are factors, 0 for none."""
    some = np.where(np.isfinite(values).any(axis=1, keepdims=True), values, 0.0)
    low, middle, high = quantiles(some, [0.05, 0.5, 0.95])
    skew = (high - middle) > SKEW * (middle - low)
    positive = np.nanmin(some, axis=1) >= 0
    return np.where(skew & positive & (middle > 0), middle, 0.0)


def _transformed(values: Floats, unit: Floats) -> Floats:
    scale = np.where(unit > 0, unit, 1.0)[:, None]
    result: Floats = np.where(unit[:, None] > 0, np.arcsinh(values / scale), values)
    return result


def _back(values: Floats, unit: Floats) -> Floats:
    scale = np.where(unit > 0, unit, 1.0)[:, None]
    raised = scale * np.sinh(np.clip(values, -300.0, 300.0))
    result: Floats = np.where(unit[:, None] > 0, raised, values)
    return result
