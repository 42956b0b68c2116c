"""Hourly counts as web ACLs yield them, with labelled events.

Counts are Poisson with a gamma-distributed rate (so negative binomial), around two humps a day,
a factor for each day of the week and a level that wanders from day to day. Four in ten training
parts hold a deployment, after which the level stays another, and four in ten an attack that nobody
labelled. The test part exists twice: quiet, and with events, at least a day apart.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from accuracy.detector import Floats
from accuracy.events import Event

TRAIN, TEST, DAY = 21 * 24, 14 * 24, 24
SLOT = 2 * DAY  # each event has two days to itself, and begins in the first


@dataclass(frozen=True)
class Family:
    """Mean counts an hour and dispersions d (variance m + d m^2) of its series, log-uniform."""

    name: str
    levels: tuple[float, float]
    dispersions: tuple[float, float]


DENSE = Family("dense", (20, 2_000), (0.01, 0.2))
SPARSE = Family("sparse", (0.4, 2), (0.2, 1.0))  # half zeros
RARE = Family("rare", (0.01, 0.2), (0.2, 1.0))  # 95 % zeros
FAMILIES = (DENSE, SPARSE, RARE)


@dataclass(frozen=True)
class Kind:
    """`factor` of the rate by share of the event that is over (0 to 1); a burst adds counts."""

    name: str
    families: tuple[Family, ...]
    hours: int
    factor: Callable[[Floats], Floats]
    burst: tuple[int, int] = (0, 0)


def _times(factor: float) -> Callable[[Floats], Floats]:
    return lambda over: np.full(len(over), factor)


KINDS = (
    Kind("spike x3, 2 h", (DENSE,), 2, _times(3)),
    Kind("spike x10, 2 h", (DENSE, SPARSE), 2, _times(10)),
    Kind("dip to 30 %, 4 h", (DENSE,), 4, _times(0.3)),
    Kind("silence, 3 h", (DENSE,), 3, _times(0)),
    Kind("shift x2, 24 h", (DENSE, SPARSE), 24, _times(2)),
    Kind("ramp to x3, 24 h", (DENSE, SPARSE), 24, lambda over: 1 + 2 * over),
    Kind("burst of 10 to 60, 1 h", (SPARSE, RARE), 1, _times(1), (10, 60)),
)


@dataclass(frozen=True)
class Series:
    """A training part, and a test part twice: `quiet` and `attacked`. Of the counts they are 504,
    336 and 336 hours long, of one column."""

    family: str
    train: Floats
    quiet: Floats
    attacked: Floats
    events: tuple[Event, ...]


def series(family: Family, seed: int) -> Series:
    rng = np.random.default_rng([seed, FAMILIES.index(family)])
    hours = TRAIN + TEST
    rate = np.exp(rng.uniform(*np.log(family.levels))) * _rhythm(rng, hours)
    dispersion = np.exp(rng.uniform(*np.log(family.dispersions)))
    rate *= rng.gamma(1 / dispersion, dispersion, hours)
    _deploy(rng, rate[:TRAIN])
    attack = rng.integers(TRAIN - 3) if rng.random() < 0.4 else 0
    rate[attack : attack + (3 if attack else 0)] *= 8
    counts = rng.poisson(rate).astype(float)[:, None]
    events = _events(rng, family)
    attacked = counts[TRAIN:].copy()
    for event in events:
        kind = next(kind for kind in KINDS if kind.name == event.kind)
        over = (np.arange(kind.hours) + 1) / kind.hours
        during = slice(event.start, event.end)
        changed = rng.poisson(rate[TRAIN:][during] * kind.factor(over))
        attacked[during, 0] = changed + rng.integers(kind.burst[0], kind.burst[1] + 1)
    return Series(family.name, counts[:TRAIN], counts[TRAIN:], attacked, events)


def _rhythm(rng: np.random.Generator, hours: int) -> Floats:
    """Relative rate: humps of random hour, width and height, weekdays, a wandering level."""
    clock = 2 * np.pi * np.arange(hours) / DAY
    peaks = rng.uniform(0, 2 * np.pi, 2)
    heights, widths = rng.uniform(0, [2.0, 1.0]), rng.uniform(1, 4, 2)
    humps = (heights * np.exp(widths * (np.cos(clock[:, None] - peaks) - 1))).sum(axis=1)
    weekdays = np.exp(rng.normal(0, 0.15, 7))
    weekdays[5:] *= rng.uniform(0.4, 1.2)
    wander = np.zeros(hours)
    for hour, step in enumerate(rng.normal(0, 0.025, hours)):
        wander[hour] = 0.95 * wander[hour - 1] + step
    shape = (1 + humps) / (1 + humps).mean()
    return np.asarray(shape * weekdays[np.arange(hours) // DAY % 7] * np.exp(wander))


def _deploy(rng: np.random.Generator, rate: Floats) -> None:
    """Some histories change for good, after an hour of restarts; the present level stays 1."""
    when, factor = rng.integers(DAY, len(rate) - DAY), np.exp(rng.uniform(-0.5, 0.5))
    if rng.random() < 0.4:
        rate[:when] *= factor
        rate[when] *= 0.2


def _events(rng: np.random.Generator, family: Family) -> tuple[Event, ...]:
    """One event of each kind that the family can show, in random order; three of an only kind."""
    kinds = [kind for kind in KINDS if family in kind.families]
    places = rng.permutation(len(kinds) if len(kinds) > 1 else 3)
    chosen = [kinds[place % len(kinds)] for place in places]
    starts = np.arange(len(chosen)) * SLOT + rng.integers(0, DAY, len(chosen))
    return tuple(
        Event(kind.name, int(start), int(start) + kind.hours)
        for kind, start in zip(chosen, starts, strict=True)
    )
