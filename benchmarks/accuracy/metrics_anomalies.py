"""Labelled anomalies in ordinary series, from subtle to plain.

The first 15 % of a series are for training: nothing there bears a label, though three in ten hold
a glitch. Up to four anomalies follow, each in a part of the test of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise

import numpy as np

from accuracy.detector import Floats
from accuracy.events import Event
from accuracy.metrics_kinds import KINDS, Clock, Kind, Rng, uniform

POINTS = (2_000, 8_000)
TRAIN = 0.15
LABELS = (0.1, 0.25, 0.3, 0.2, 0.15)  # chances of 0, 1, .. 4 anomalies
GLITCH = 0.3
LONGEST = 0.05  # of a series, for one anomaly
ROOM = 0.6  # of the way from the middle to a bound, for one shift
TRIES = 30


@dataclass(frozen=True)
class Series:
    """`train` and `test` are of one column, their points `interval` apart (gaps aside)."""

    kind: str
    interval: timedelta
    train: Floats
    test: Floats
    events: tuple[Event, ...]


@dataclass(frozen=True)
class Scale:
    """What is usual in a series: its noise from point to point (standard deviation), the reach of
    its values (0.01 to 0.99 quantile, at least six times the noise), where they stop, its day.
    """

    noise: float
    reach: float
    floor: float
    ceiling: float
    per_day: int


def scale_of(values: Floats, kind: Kind, per_day: int) -> Scale:
    steps = np.abs(np.diff(values))
    noise = 1.4826 * float(np.median(steps)) / np.sqrt(2) or float(steps.mean())
    low, high = np.quantile(values, [0.01, 0.99])
    least = 3.0 if kind.whole else 6 * noise
    return Scale(noise, max(high - low, least), max(kind.low, 0.0), kind.high, per_day)


# Each of these changes `values` from `start` on, for `size` points unless it says otherwise.
Alter = Callable[[Rng, Floats, int, int, Scale], None]


def _add(shape: Callable[[int], Floats], low: float, high: float, signs: tuple[int, ...]) -> Alter:
    """Adds a shape (1 at its highest) times a share of the reach between low and high."""

    def alter(rng: Rng, values: Floats, start: int, size: int, scale: Scale) -> None:
        height = rng.choice(signs) * uniform(rng, low, high) * scale.reach
        values[start : start + size] += height * shape(size) * rng.uniform(0.8, 1, size)

    return alter


def _shift(rng: Rng, values: Floats, start: int, size: int, scale: Scale) -> None:
    """The level stays another to the end of the series: higher by a sum, or lower by a share.

    It leaves room for what follows.
    """
    middle, down = float(np.median(values)), rng.random() < 0.5
    room = ROOM * (middle - scale.floor if down else scale.ceiling - middle)
    height = min(uniform(rng, 0.15, 1) * scale.reach, room)
    if down and height > 0:
        values[start:] -= (values[start:] - scale.floor) * height / (middle - scale.floor)
    elif not down:
        values[start:] += height


def _noisier(rng: Rng, values: Floats, start: int, size: int, scale: Scale) -> None:
    usual = max(2 * scale.noise, 0.1 * scale.reach)
    values[start : start + size] += rng.normal(0, uniform(rng, 1, 4) * usual, size)


def _frozen(rng: Rng, values: Floats, start: int, size: int, scale: Scale) -> None:
    values[start : start + size] = values[start - 1]


def _outage(rng: Rng, values: Floats, start: int, size: int, scale: Scale) -> None:
    values[start : start + size] = scale.floor


def _slump(rng: Rng, values: Floats, start: int, size: int, scale: Scale) -> None:
    values[start : start + size] *= rng.uniform(0.35, 0.8)


def _missed_peak(rng: Rng, values: Floats, start: int, size: int, scale: Scale) -> None:
    """High values give way to ordinary ones."""
    middle, high = np.quantile(values, [0.5, 0.99])
    during = values[start : start + size]
    peak = during > middle + 0.25 * (high - middle)
    during[peak] = rng.choice(values[values <= middle], int(peak.sum()))


def _odd_hour(rng: Rng, values: Floats, start: int, size: int, scale: Scale) -> None:
    """Ordinary values of another time: of eight times within a day, the one that differs most."""
    during = values[start : start + size]
    lags = rng.integers(1, min(scale.per_day, start), 8)
    others = [values[start - lag : start - lag + size].copy() for lag in lags]
    during[:] = max(others, key=lambda other: float(np.abs(other - during).sum()))


def _tempo(rng: Rng, values: Floats, start: int, size: int, scale: Scale) -> None:
    """What came before again, at about half or double the speed."""
    factor = uniform(rng, 1.6, 2.5) ** rng.choice([-1, 1])
    source = start + factor * (np.arange(size) - size)
    values[start : start + size] = np.interp(source, np.arange(start), values[:start])


def _swing(rng: Rng, values: Floats, start: int, size: int, scale: Scale) -> None:
    """The distance from the middle of what came before grows or shrinks."""
    middle = np.median(values[start - min(start, scale.per_day) : start])
    factor = uniform(rng, 1.5, 3) ** rng.choice([-1, 1])
    during = values[start : start + size]
    during[:] = middle + factor * (during - middle)


@dataclass(frozen=True)
class Anomaly:
    """Between so many points long (log-uniform), but no longer than LONGEST."""

    sizes: tuple[int, int]
    alter: Alter


ANOMALIES = {
    "spike": Anomaly((1, 3), _add(np.ones, 0.4, 4, (1,))),
    "dip": Anomaly((1, 3), _add(np.ones, 0.4, 3, (-1,))),
    "burst": Anomaly((6, 40), _add(np.ones, 0.3, 2, (1,))),
    "ramp": Anomaly((60, 200), _add(lambda size: np.linspace(0, 1, size), 0.5, 2, (1,))),
    "decline": Anomaly((60, 200), _add(lambda size: np.linspace(0, 1, size), 0.5, 2, (-1,))),
    "decay": Anomaly(
        (30, 120), _add(lambda size: np.exp(-3 * np.arange(size) / size), 0.5, 2, (1,))
    ),
    "shift": Anomaly((40, 80), _shift),
    "noisier": Anomaly((40, 160), _noisier),
    "frozen": Anomaly((40, 160), _frozen),
    "outage": Anomaly((5, 50), _outage),
    "slump": Anomaly((40, 150), _slump),
    "missed_peak": Anomaly((10, 100), _missed_peak),
    "odd_hour": Anomaly((4, 40), _odd_hour),
    "tempo": Anomaly((60, 200), _tempo),
    "swing": Anomaly((60, 200), _swing),
}


def made(count: int, seed: int) -> list[Series]:
    """So many series of each kind."""
    return [series(kind, number, seed) for kind in KINDS for number in range(count)]


def series(kind: Kind, number: int, seed: int) -> Series:
    rng = np.random.default_rng([seed, KINDS.index(kind), number])
    points = int(uniform(rng, *POINTS))
    train = max(round(TRAIN * points), 300)
    interval = kind.intervals[rng.integers(len(kind.intervals))]
    clock = _clock(rng, points, train, interval, kind.gapped)
    values = kind.bounded(kind.make(rng, clock))
    scale = scale_of(values, kind, clock.per_day)
    if rng.random() < GLITCH:
        name, at = rng.choice(["spike", "burst"]), int(rng.integers(50, train - 50))
        _alter(rng, values, name, at, scale)
        values = kind.bounded(values)
    labels = int(rng.choice(len(LABELS), p=LABELS))
    slots = np.linspace(train, points, labels + 1).astype(int)
    events = []
    for begin, end in pairwise(slots):
        room = int(LONGEST * points)
        found = _label(rng, values, kind, (begin + room, end - 2 * room), scale)
        if found:
            values, event = found
            events.append(Event(event.kind, event.start - train, event.end - train))
    column = values[:, None]
    return Series(kind.name, interval, column[:train], column[train:], tuple(events))


def _clock(rng: Rng, points: int, train: int, interval: timedelta, gapped: bool) -> Clock:
    """The test part begins at a full hour of a random day."""
    per_day = timedelta(days=1) // interval
    gaps = rng.uniform(0.1, 0.7, points) * (rng.random(points) < 1 / 80) * gapped
    days = np.cumsum(1 / per_day + gaps)
    return Clock(days - days[train] + rng.integers(7 * 24) / 24, per_day)


def _label(
    rng: Rng, values: Floats, kind: Kind, starts: tuple[int, int], scale: Scale
) -> tuple[Floats, Event] | None:
    """The values with an anomaly that begins between two points, unless none is visible.

    Visible is a change beyond the noise; the label reaches from the first change to the last.
    """
    names = kind.anomalies.split()
    for _ in range(TRIES):
        name, start = names[rng.integers(len(names))], int(rng.integers(*starts))
        changed = values.copy()
        size = _alter(rng, changed, name, start, scale)
        changed = kind.bounded(changed)
        away = np.abs(changed - values)[start : start + size]
        if away.max() > max(scale.noise, 0.05 * scale.reach):
            places = start + np.flatnonzero(away)
            return changed, Event(name, int(places[0]), int(places[-1]) + 1)
    return None


def _alter(rng: Rng, values: Floats, name: str, start: int, scale: Scale) -> int:
    """Change the values; the number of points that the anomaly takes."""
    anomaly = ANOMALIES[name]
    size = min(round(uniform(rng, *anomaly.sizes)), int(LONGEST * len(values)))
    anomaly.alter(rng, values, start, size, scale)
    return size
