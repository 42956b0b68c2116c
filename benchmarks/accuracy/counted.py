"""Generated faults of counts, as web traffic has them: nothing is scaled exactly.

Five dimensions of unequal, long-tailed values, 4,000 series of which most are small. Forecasts are
off by 5 %, counts are Poisson or over-dispersed, in the root causes too. Three families:

* strong: one cause, all of it times 2 to 6; and 1 % of all series are far off for no reason.
* small: three causes of any cuboids, each times 1.3 to 2.
* added: one or two causes to which requests are added, to their series in random shares that know
  nothing of what is usual there, as an attack does.

Causes are disjoint, of at least three series, and six standard deviations of their sum.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from accuracy.detector import Floats
from accuracy.faults import Codes, Combination, Fault, members

SIZES = (3, 20, 12, 30, 4)
SERIES, MEAN = 4_000, 20.0
FORECAST_ERROR = 0.05
OUTLIERS = 0.01
LEAST_SERIES, LARGEST_SHARE, LEAST_SIGNAL = 3, 0.4, 6.0
FAMILIES = {"strong": 0.0, "small": 0.02, "added": 0.05}  # over-dispersion: variance m + d m²


def counted(each: int, seed: int) -> Iterator[Fault]:
    """So many faults of every family."""
    for place, family in enumerate(FAMILIES):
        for number in range(each):
            yield _fault(np.random.default_rng([seed, place, number]), family)


def _fault(rng: np.random.Generator, family: str) -> Fault:
    codes = _series(rng)
    usual = _usual(rng, codes)
    forecast = usual * rng.lognormal(0, FORECAST_ERROR, SERIES)
    spread = FAMILIES[family]
    while True:
        chosen = [_cause(rng, codes) for _ in range(_causes(rng, family))]
        masks = [members(codes, one) for one in chosen]
        if np.sum(masks, axis=0).max() > 1 or not all(_is_fit(mask) for mask in masks):
            continue
        mean = usual.copy()
        for mask in masks:
            mean[mask] = _raised(rng, usual[mask], family)
        deviation = np.sqrt(usual + (spread + FORECAST_ERROR**2) * usual**2)
        if all(_is_clear(mean[m] - usual[m], deviation[m]) for m in masks):
            break
    actual = rng.poisson(rng.gamma(1 / spread, spread * mean) if spread else mean).astype(float)
    if family == "strong":
        far = rng.random(SERIES) < OUTLIERS
        actual[far] = rng.poisson(usual[far] * rng.choice([0.2, 3], far.sum()))
    return Fault(codes, actual, forecast, spread, frozenset(chosen), family)


def _series(rng: np.random.Generator) -> Codes:
    """Combinations of values, the common ones more often."""
    drawn = [rng.choice(size, 3 * SERIES, p=_popularity(size)) for size in SIZES]
    codes = np.unique(np.stack(drawn, axis=1), axis=0)
    return codes[np.sort(rng.permutation(len(codes))[:SERIES])]


def _usual(rng: np.random.Generator, codes: Codes) -> Floats:
    usual = rng.lognormal(0, 0.7, SERIES)
    for dimension, size in enumerate(SIZES):
        usual *= (_popularity(size) * rng.lognormal(0, 0.3, size))[codes[:, dimension]]
    return np.asarray(usual * MEAN / usual.mean())


def _popularity(size: int) -> Floats:
    weight = 1 / np.arange(1, size + 1) ** 0.8
    return np.asarray(weight / weight.sum())


def _causes(rng: np.random.Generator, family: str) -> int:
    return {"strong": 1, "small": 3}.get(family) or int(rng.integers(1, 3))


def _cause(rng: np.random.Generator, codes: Codes) -> Combination:
    dimensions = np.sort(rng.choice(len(SIZES), int(rng.integers(1, 4)), replace=False))
    row = codes[rng.integers(len(codes))]
    return tuple((int(dimension), int(row[dimension])) for dimension in dimensions)


def _is_fit(mask: np.ndarray) -> bool:
    return bool(mask.sum() >= LEAST_SERIES and mask.mean() <= LARGEST_SHARE)


def _raised(rng: np.random.Generator, usual: Floats, family: str) -> Floats:
    if family == "strong":
        return usual * rng.uniform(2, 6)
    if family == "small":
        return usual * rng.uniform(1.3, 2)
    share = rng.lognormal(0, 1, len(usual))
    return usual + share / share.sum() * usual.sum() * rng.uniform(1, 5)


def _is_clear(change: Floats, deviation: Floats) -> bool:
    return bool(change.sum() >= LEAST_SIGNAL * np.sqrt((deviation**2).sum()))
