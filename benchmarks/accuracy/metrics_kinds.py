"""Ordinary series of operational metrics: thirty kinds, each with parameters drawn at random.

What a kind does by habit (jobs, bursts, deployments, resets) is normal and carries no label.
Where data has gaps in time, the points after a gap follow those before it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from accuracy.detector import Floats

Rng = np.random.Generator

MINUTE, FIVE = timedelta(minutes=1), timedelta(minutes=5)
HALF, HOUR = timedelta(minutes=30), timedelta(hours=1)


@dataclass(frozen=True)
class Clock:
    """Local time in days (float[n]) of each point, day 0 a Monday, and the points of a day."""

    days: Floats
    per_day: int

    @property
    def points(self) -> int:
        return len(self.days)


def uniform(rng: Rng, low: float, high: float) -> float:
    """A number from the range, uniform in its logarithm."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def wander(rng: Rng, points: int, memory: float, spread: float) -> Floats:
    """A first-order autoregression that forgets in `memory` points; its standard deviation."""
    keep = np.exp(-1 / memory)
    before = int(5 * memory)
    steps = rng.normal(0, spread * np.sqrt(1 - keep**2), before + points)
    return np.asarray(lfilter([1], [1, -keep], steps)[before:])


def rhythm(rng: Rng, clock: Clock, depth: float) -> Floats:
    """Humps of random hours, heights and widths that repeat each day; mean 1, lows 1 - depth."""
    angle = 2 * np.pi * clock.days[:, None]
    peaks, widths = rng.uniform(0, 2 * np.pi, 2), rng.uniform(0.5, 3, 2)
    humps = (rng.uniform(0.3, 1, 2) * np.exp(widths * (np.cos(angle - peaks) - 1))).sum(axis=1)
    return np.asarray(1 - depth + depth * (humps - humps.min()) / (humps - humps.min()).mean())


def weekdays(rng: Rng, clock: Clock) -> Floats:
    factors = np.exp(rng.normal(0, 0.05, 7))
    factors[5:] *= rng.uniform(0.5, 0.95)
    return np.asarray(factors[np.floor(clock.days).astype(int) % 7])


def held(rng: Rng, points: int, mean: float, draw: Callable[[int], NDArray[Any]]) -> Floats:
    """Values from `draw`, each held for a random while of so many points on average."""
    number = int(4 * points / mean) + 20
    lengths = rng.geometric(1 / mean, number)
    return np.repeat(draw(number), lengths)[:points].astype(float)


def teeth(rng: Rng, points: int, length: float, jitter: float) -> tuple[NDArray[np.int64], Floats]:
    """Which tooth of a saw each point is in, and how much of that tooth is over (0 to 1)."""
    number = int(2 * points / length) + 20
    lengths = np.maximum(length * (1 + jitter * rng.uniform(-1, 1, number)), 2).astype(int)
    tooth = np.repeat(np.arange(number), lengths)
    place = np.arange(len(tooth)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    skipped = int(rng.integers(lengths[0]))
    seen = slice(skipped, skipped + points)
    return tooth[seen], np.asarray(place / lengths[tooth])[seen]


def bursts(rng: Rng, points: int, apart: float, fade: float) -> Floats:
    """Bursts of Pareto heights (at least 1), so many points apart, that fade exponentially."""
    begins = (rng.random(points) < 1 / apart) * (1 + rng.pareto(2.5, points))
    return np.asarray(lfilter([1], [1, -np.exp(-1 / fade)], begins))


def counted(rng: Rng, mean: Floats, dispersion: float) -> Floats:
    """Negative binomial counts: variance m + d m^2."""
    return rng.poisson(mean * rng.gamma(1 / dispersion, dispersion, len(mean))).astype(float)


def cpu_jobs(rng: Rng, clock: Clock) -> Floats:
    base = held(rng, clock.points, 1500, lambda size: rng.uniform(2, 30, size))
    idle = rng.uniform(0.6, 0.95)
    jobs = held(
        rng, clock.points, uniform(rng, 8, 40), lambda size: np.maximum(rng.random(size) - idle, 0)
    )
    return base + jobs * rng.uniform(60, 200) + rng.normal(0, uniform(rng, 0.1, 2), clock.points)


def cpu_daily(rng: Rng, clock: Clock) -> Floats:
    level = rng.uniform(10, 40) * rhythm(rng, clock, rng.uniform(0.3, 0.9))
    return level + wander(rng, clock.points, rng.uniform(2, 20), rng.uniform(0.5, 3))


def cpu_nightly(rng: Rng, clock: Clock) -> Floats:
    """A job each day, of about the same length and height."""
    hour, length = rng.random(), rng.uniform(0.02, 0.12)
    late = wander(rng, clock.points, clock.per_day, 0.003)
    running = (clock.days + late - hour) % 1 < length
    noise = rng.normal(0, 1, clock.points) * np.where(running, 3, uniform(rng, 0.1, 1.5))
    return rng.uniform(2, 15) + running * rng.uniform(20, 60) + noise


def memory_sawtooth(rng: Rng, clock: Clock) -> Floats:
    tooth, over = teeth(rng, clock.points, uniform(rng, 20, 200), rng.uniform(0, 0.3))
    floor, height = rng.uniform(20, 40), rng.uniform(10, 40)
    heights = height * (1 + 0.1 * rng.normal(0, 1, int(tooth.max()) + 1))
    return floor + heights[tooth] * over + rng.normal(0, 0.4, clock.points)


def memory_slow(rng: Rng, clock: Clock) -> Floats:
    """Memory in use that wanders and steps down at releases."""
    tooth, over = teeth(rng, clock.points, rng.uniform(400, 1200), 0.5)
    floors = rng.uniform(30, 40, int(tooth.max()) + 1)
    return floors[tooth] + 10 * over + wander(rng, clock.points, 40, 0.6)


def disk_writes(rng: Rng, clock: Clock) -> Floats:
    busy = held(rng, clock.points, uniform(rng, 10, 60), lambda size: rng.random(size) < 0.3)
    return busy * rng.lognormal(np.log(uniform(rng, 1e4, 1e7)), rng.uniform(0.4, 1), clock.points)


def network_in(rng: Rng, clock: Clock) -> Floats:
    level = uniform(rng, 1e5, 1e8) * rhythm(rng, clock, rng.uniform(0, 0.6))
    heavy = 1 + bursts(rng, clock.points, uniform(rng, 60, 300), 1) * rng.uniform(0.5, 3)
    return level * rng.lognormal(0, rng.uniform(0.1, 0.5), clock.points) * heavy


def requests(rng: Rng, clock: Clock) -> Floats:
    level = uniform(rng, 1e3, 3e4) * rhythm(rng, clock, rng.uniform(0.4, 0.9))
    level = level * weekdays(rng, clock) * np.exp(wander(rng, clock.points, 50, 0.05))
    return counted(rng, level, uniform(rng, 0.0005, 0.01))


def latency(rng: Rng, clock: Clock) -> Floats:
    usual = uniform(rng, 20, 500) * np.exp(wander(rng, clock.points, 10, rng.uniform(0.05, 0.25)))
    habit = bursts(rng, clock.points, uniform(rng, 40, 200), rng.uniform(0.3, 1.5))
    noise = rng.lognormal(0, rng.uniform(0.05, 0.2), clock.points)
    return usual * noise * (1 + habit * rng.uniform(0.5, 3))


def small_requests(rng: Rng, clock: Clock) -> Floats:
    level = uniform(rng, 2, 60) * rhythm(rng, clock, rng.uniform(0.2, 0.9))
    return counted(rng, level, uniform(rng, 0.05, 0.5))


def errors(rng: Rng, clock: Clock) -> Floats:
    return counted(rng, np.full(clock.points, uniform(rng, 0.02, 0.4)), uniform(rng, 0.3, 3))


def room_temperature(rng: Rng, clock: Clock) -> Floats:
    drift = wander(rng, clock.points, 2 * clock.per_day, rng.uniform(0.8, 2.5))
    daily = rng.uniform(0.5, 3) * rhythm(rng, clock, 0.8)
    return rng.uniform(18, 70) + drift + daily + rng.normal(0, uniform(rng, 0.1, 0.6), clock.points)


def machine_temperature(rng: Rng, clock: Clock) -> Floats:
    slow = wander(rng, clock.points, rng.uniform(0.5, 2) * clock.per_day, rng.uniform(3, 8))
    return rng.uniform(70, 100) + slow + wander(rng, clock.points, 6, rng.uniform(0.3, 1.2))


def taxi_demand(rng: Rng, clock: Clock) -> Floats:
    level = uniform(rng, 500, 15_000) * rhythm(rng, clock, rng.uniform(0.7, 0.95))
    night_out = 1 + 0.5 * (clock.days % 7 > 5.9) * (np.cos(2 * np.pi * clock.days) > 0)
    return counted(rng, level * weekdays(rng, clock) * night_out, uniform(rng, 0.001, 0.01))


def click_cost(rng: Rng, clock: Clock) -> Floats:
    noise = 0.1 * rng.standard_t(rng.uniform(2.5, 5), clock.points)
    return uniform(rng, 0.1, 5) * rhythm(rng, clock, 0.15) * np.exp(noise)


def tweets(rng: Rng, clock: Clock) -> Floats:
    level = uniform(rng, 3, 100) * rhythm(rng, clock, rng.uniform(0.3, 0.7))
    habit = bursts(rng, clock.points, uniform(rng, 80, 400), rng.uniform(1, 6))
    return counted(rng, level * (1 + rng.uniform(0.5, 2) * habit), uniform(rng, 0.05, 0.3))


def queue(rng: Rng, clock: Clock) -> Floats:
    """What arrives and is not served waits (Lindley's recursion)."""
    rate = uniform(rng, 3, 50)
    net = rng.poisson(rate, clock.points) - rng.poisson(rate * rng.uniform(1.05, 1.3), clock.points)
    total = np.cumsum(net)
    return (total - np.minimum.accumulate(np.minimum(total, 0))).astype(float)


def flat_line(rng: Rng, clock: Clock) -> Floats:
    level = uniform(rng, 1, 1000)
    return level * (1 + rng.normal(0, uniform(rng, 1e-9, 1e-4), clock.points))


def deployments(rng: Rng, clock: Clock) -> Floats:
    """Each deployment brings a level of its own."""
    base = uniform(rng, 10, 1000)
    apart = 0.06 * clock.points
    levels = held(rng, clock.points, apart, lambda size: np.exp(rng.normal(0, 0.3, size)))
    return base * (levels + rng.normal(0, uniform(rng, 0.01, 0.05), clock.points))


def cron(rng: Rng, clock: Clock) -> Floats:
    every, width = int(uniform(rng, 10, 60)), int(rng.integers(1, 4))
    inside = (np.arange(clock.points) + rng.integers(every)) % every < width
    base, height = rng.uniform(2, 20), rng.uniform(15, 70)
    noise = rng.normal(0, 1, clock.points) * np.where(inside, 0.05 * height, 0.03 * height)
    return base + inside * height + noise


def wave(rng: Rng, clock: Clock) -> Floats:
    turns = np.arange(clock.points) / uniform(rng, 24, 288) + rng.random()
    shape = np.cos(2 * np.pi * turns) + rng.uniform(0, 0.5) * np.cos(4 * np.pi * turns)
    return uniform(rng, 20, 500) * (3 + shape + rng.normal(0, uniform(rng, 0.02, 0.3), len(turns)))


def hit_ratio(rng: Rng, clock: Clock) -> Floats:
    middle = rng.uniform(1, 5) + wander(rng, clock.points, 80, 0.3)
    return np.asarray(1 / (1 + np.exp(-middle - rng.normal(0, 0.15, clock.points))))


def battery(rng: Rng, clock: Clock) -> Floats:
    tooth, over = teeth(rng, clock.points, uniform(rng, 60, 400), 0.25)
    lows = rng.uniform(10, 40, int(tooth.max()) + 1)[tooth]
    charged = np.minimum(over / 0.2, (1 - over) / 0.8)
    return lows + (100 - lows) * charged + rng.normal(0, 0.3, clock.points)


def counter(rng: Rng, clock: Clock) -> Floats:
    """A total that starts anew at restarts."""
    tooth, _ = teeth(rng, clock.points, rng.uniform(100, 500), 0.4)
    total = np.cumsum(rng.poisson(uniform(rng, 3, 300), clock.points)).astype(float)
    starts = np.append(True, np.diff(tooth) > 0)
    return total - np.maximum.accumulate(np.where(starts, total, 0.0))


def on_off(rng: Rng, clock: Clock) -> Floats:
    on = held(rng, clock.points, uniform(rng, 8, 60), lambda size: np.arange(size) % 2)
    low, high = rng.uniform(0, 20), rng.uniform(40, 90)
    return np.where(on > 0, high, low) + rng.normal(0, uniform(rng, 0.05, 2), clock.points)


def office_hours(rng: Rng, clock: Clock) -> Floats:
    """Nearly nothing at night and at weekends."""
    opened, length = rng.uniform(0.25, 0.4), rng.uniform(0.3, 0.45)
    working = ((clock.days - opened) % 1 < length) & (np.floor(clock.days) % 7 < 5)
    hump = np.sin(np.pi * np.clip((clock.days - opened) % 1 / length, 0, 1)) ** 0.5
    return counted(rng, 1 + working * hump * uniform(rng, 50, 2000), uniform(rng, 0.01, 0.1))


def key_holds(rng: Rng, clock: Clock) -> Floats:
    """Human work recorded only while it goes on; between lie gaps (see `gapped`)."""
    tired = 0.15 * np.cos(2 * np.pi * clock.days)
    return uniform(rng, 0.05, 0.2) * np.exp(tired + rng.normal(0, 0.25, clock.points))


def connections(rng: Rng, clock: Clock) -> Floats:
    level = uniform(rng, 20, 400)
    drift = wander(rng, clock.points, uniform(rng, 30, 300), 0.15) + rhythm(rng, clock, 0.3)
    return level * drift + rng.normal(0, np.sqrt(level) / 2, clock.points)


def price(rng: Rng, clock: Clock) -> Floats:
    """A random walk: every level is as good as any other."""
    steps = rng.standard_t(5, clock.points) * uniform(rng, 0.0005, 0.003)
    return uniform(rng, 1, 200) * np.exp(np.cumsum(steps))


def threads(rng: Rng, clock: Clock) -> Floats:
    """Few whole values, each held for a while."""
    few = rng.integers(8, 40)
    return held(rng, clock.points, uniform(rng, 2, 20), lambda size: few + rng.poisson(2, size))


@dataclass(frozen=True)
class Kind:
    """How points that are `interval` (one of them) apart come about, and what labels they bear.

    Values end in [low, high], rounded where `whole`; `gapped` ones lack stretches of time.
    """

    make: Callable[[Rng, Clock], Floats]
    intervals: tuple[timedelta, ...]
    anomalies: str
    low: float = 0.0
    high: float = np.inf
    whole: bool = False
    gapped: bool = False

    @property
    def name(self) -> str:
        return self.make.__name__

    def bounded(self, values: Floats) -> Floats:
        inside = np.clip(values, self.low, self.high)
        return np.rint(inside) if self.whole else inside


KINDS = (
    Kind(cpu_jobs, (MINUTE, FIVE), "spike burst shift noisier frozen outage", high=100),
    Kind(cpu_daily, (FIVE,), "spike dip shift frozen odd_hour swing ramp", high=100),
    Kind(cpu_nightly, (FIVE, HALF), "missed_peak odd_hour spike shift noisier", high=100),
    Kind(memory_sawtooth, (MINUTE, FIVE), "ramp frozen tempo swing spike shift", high=100),
    Kind(memory_slow, (FIVE, HOUR), "ramp spike dip noisier shift", high=100),
    Kind(disk_writes, (FIVE,), "burst spike shift"),
    Kind(network_in, (FIVE,), "spike burst shift outage slump"),
    Kind(requests, (FIVE, HOUR), "spike dip slump outage odd_hour shift burst", whole=True),
    Kind(latency, (MINUTE, FIVE), "burst shift ramp decay spike"),
    Kind(small_requests, (FIVE, HOUR), "spike burst outage shift", whole=True),
    Kind(errors, (FIVE, HOUR), "spike burst shift", whole=True),
    Kind(room_temperature, (FIVE, HOUR), "spike dip ramp frozen noisier", low=-np.inf),
    Kind(machine_temperature, (FIVE,), "dip decay outage ramp noisier frozen", low=-np.inf),
    Kind(taxi_demand, (HALF,), "slump odd_hour dip spike shift", whole=True),
    Kind(click_cost, (HOUR,), "spike burst shift noisier outage"),
    Kind(tweets, (FIVE,), "burst spike decay outage shift", whole=True),
    Kind(queue, (MINUTE, FIVE), "burst ramp decay shift", whole=True),
    Kind(flat_line, (MINUTE, FIVE), "spike dip shift ramp noisier", low=-np.inf),
    Kind(deployments, (FIVE,), "spike dip noisier outage burst"),
    Kind(cron, (MINUTE, FIVE), "missed_peak odd_hour shift tempo outage", high=100),
    Kind(wave, (MINUTE, FIVE, HOUR), "swing tempo frozen noisier odd_hour spike", low=-np.inf),
    Kind(hit_ratio, (MINUTE, FIVE), "dip shift decline noisier outage", high=1),
    Kind(battery, (MINUTE, FIVE), "frozen tempo dip swing", high=100),
    Kind(counter, (MINUTE, FIVE), "frozen spike dip", whole=True),
    Kind(on_off, (MINUTE, FIVE), "frozen spike noisier shift", high=100),
    Kind(office_hours, (HALF, HOUR), "odd_hour missed_peak spike slump", whole=True),
    Kind(key_holds, (FIVE, HOUR), "shift spike noisier burst", gapped=True),
    Kind(connections, (FIVE,), "spike dip shift ramp outage frozen", whole=True),
    Kind(price, (FIVE, HOUR), "spike dip frozen noisier"),
    Kind(threads, (MINUTE, FIVE), "spike burst ramp shift frozen", whole=True),
)
