"""The level of counts, interval by interval: a gamma-Poisson filter with discounting.

What a series counts is its seasonal mean times a level around 1 that may wander. The level's gamma
posterior forgets at a constant rate (Harvey and Fernandes 1989, Time series models for count or
qualitative observations; West and Harrison, power discounting), chosen per series as the one that
would have foretold its history best. Counts far from the forecast enter pulled in, as in
`forecast.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bartizan.compiled import compiled
from bartizan.detect.panel import Floats

DISCOUNTS = np.array([1.0, 0.995, 0.97, 0.9])  # 1: the level does not wander
PRIOR = 2.0  # counts' worth of belief in the level 1
PULL = 3.0
WIDENED = 30.0
NOTICED = 2.0
CELLS = 2**16  # series x intervals gone through together, so that they stay near the processor
WORTH = 0.01  # mean log likelihood an interval by which a wandering level must be better


@dataclass(frozen=True)
class Level:
    """Of S series: `count` and `due` discounted, `run` of intervals beyond bounds of one sign."""

    count: Floats
    due: Floats
    run: Floats


@dataclass(frozen=True)
class Levels:
    """Of every interval (S, T): the level foretold, and its relative variance."""

    level: Floats
    doubt: Floats


def no_level(series: int) -> Level:
    return Level(np.zeros(series), np.zeros(series), np.zeros(series))


def advance(
    discount: Floats,
    memory: Level,
    counts: Floats,
    mean: Floats,
    dispersion: Floats,
    patience: float,
) -> tuple[Levels, Level]:
    """Go through counts (S, T) whose season foretells `mean` (S, T); the others are (S)."""
    found = Levels(np.empty(counts.shape), np.empty(counts.shape))
    end = Level(memory.count.copy(), memory.due.copy(), memory.run.copy())
    _advance(
        discount, end.count, end.due, end.run, counts, mean, dispersion, patience,
        found.level, found.doubt,
    )  # fmt: skip
    return found, end


def choose_discount(counts: Floats, mean: Floats, dispersion: Floats, patience: float) -> Floats:
    """The discount (S) under which the history (S, T) has the highest likelihood, negative
    binomial and with what is far pulled in."""
    some = max(CELLS // counts.shape[1], 1)
    runs = [slice(start, start + some) for start in range(0, len(counts), some)]
    return np.concatenate(
        [_chosen(counts[run], mean[run], dispersion[run], patience) for run in runs]
    )


def _chosen(counts: Floats, mean: Floats, dispersion: Floats, patience: float) -> Floats:
    points = np.maximum(np.isfinite(counts).sum(axis=1), 1)
    fit = np.empty((len(DISCOUNTS), len(counts)))
    for number, discount in enumerate(DISCOUNTS):
        tried = np.full(len(counts), discount)
        levels, _ = advance(tried, no_level(len(counts)), counts, mean, dispersion, patience)
        found = levels.level * mean
        spread = 1 + dispersion[:, None] * found
        reach = found + 2 * PULL * np.sqrt(found * spread)
        likely = np.minimum(counts, reach) * np.log(found / spread)
        likely -= np.log(spread) / dispersion[:, None]
        fit[number] = np.where(np.isfinite(counts), likely, 0.0).sum(axis=1) / points
    fit[0] += WORTH
    chosen: Floats = DISCOUNTS[fit.argmax(axis=0)]
    return chosen


@compiled
def _advance(
    discount: Floats,
    count: Floats,
    due: Floats,
    run: Floats,
    counts: Floats,
    mean: Floats,
    dispersion: Floats,
    patience: float,
    levels: Floats,
    doubts: Floats,
) -> None:
    """Fills the last two, (S, T), and brings `count`, `due` and `run` up to date."""
    for s in range(counts.shape[0]):
        if discount[s] == 1:  # it does not wander
            levels[s], doubts[s] = 1.0, 0.0
            continue
        for t in range(counts.shape[1]):
            levels[s, t] = (count[s] + PRIOR) / (due[s] + PRIOR)
            doubts[s, t] = 1 / (count[s] + PRIOR)
            if np.isnan(counts[s, t]):
                continue
            found = levels[s, t] * mean[s, t]
            excess = 1 + dispersion[s] * found
            weight = 1 / excess
            spread = np.sqrt(found * excess)
            error = counts[s, t] - found
            sign = 1.0 if error > 0 else -1.0
            if abs(error) > NOTICED * spread and sign * run[s] >= 0:
                run[s] += sign
            elif run[s] != 0:
                run[s] -= 1.0 if run[s] > 0 else -1.0
            belief = min(abs(run[s]) / patience, 1.0) ** 2 if run[s] != 0 else 0.0
            reach = PULL * spread * (1 + WIDENED * belief)
            clean = found + min(max(error, -min(reach, found)), reach)
            kept = discount[s] * (1 - 0.5 * belief)  # believed by forgetting the rest
            count[s] = kept * count[s] + weight * clean
            due[s] = kept * due[s] + weight * mean[s, t]
