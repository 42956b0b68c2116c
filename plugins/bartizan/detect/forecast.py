"""What comes next, from what has just been seen: an autoregression that learns robustly.

Values here are deviations from the season. The forecast is a regression on the last three of
them, a fast and a slow exponential mean (the heterogeneous autoregression of Corsi 2009), fitted
with a ridge penalty, plus a bias that follows what stays. What is far from the forecast enters the
memory pulled in, so that a spike does not echo; when errors of one sign persist, more and more of
them is believed, and a new level is learned within hours.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.signal import lfilter

from bartizan.compiled import compiled
from bartizan.detect.outlook import patience
from bartizan.detect.panel import Floats
from bartizan.detect.ranks import quantiles
from bartizan.detect.season import robust

LAGS = 3
FEATURES = LAGS + 2
PULL = 3.0  # errors beyond so many spreads are pulled in before they are remembered
WIDENED = 30.0  # how much further they may reach once they persist
FAST = 1 / 6  # gain of the fast mean
RIDGE = 10.0  # pseudo-observations that say: nothing of the past matters
SLOW_GAIN, QUICK_GAIN = 0.01, 0.3  # of the bias: in calm, and when errors persist
NOTICED = 2.0  # spreads from which an error counts as persisting
SCALE_GAIN, SCALE_LEAST, SCALE_MOST = 0.01, 0.7, 4.0
TYPICAL = 0.8  # mean absolute value of a standard normal


@dataclass(frozen=True)
class Forecast:
    """Learned from S series: `intercept`, `spread`, `low`, `high` (S), `weights` (S, 5).

    Forecasts stay within low and high, the range of the history and half of it on either side.
    `slow_spread` (S) is that around the slow mean.
    """

    intercept: Floats
    weights: Floats
    spread: Floats
    low: Floats
    high: Floats
    slow_spread: Floats


@dataclass(frozen=True)
class Memory:
    """What S series have just done: `lags` (S, 3), the latest first, `fast` and `slow` mean,
    `bias`, `run` of errors of one sign, `scale` of the spread (S)."""

    lags: Floats
    fast: Floats
    slow: Floats
    bias: Floats
    run: Floats
    scale: Floats


@dataclass(frozen=True)
class Step:
    """Of every interval (S, T): the forecast, its spread, the error (the smaller of those with and
    without the bias), and the deviation from the slow mean in its spreads."""

    expected: Floats
    spread: Floats
    error: Floats
    drift: Floats


def fit_forecast(values: Floats, day_length: int, least: Floats) -> Forecast:
    """Learn from deviations (S, T), NaN where unknown; no spread is below `least` (S)."""
    slow = slow_gain(day_length)
    middle, spread = robust(values)
    reach = 6 * np.maximum(spread, 1e-300)
    clean = np.clip(np.where(np.isfinite(values), values, middle), middle - reach, middle + reach)
    for _ in range(2):
        features = _features(clean, slow)
        intercept, weights = _regress(features, clean[:, LAGS:])
        found = intercept[:, None] + np.einsum("kst,sk->st", features, weights)
        error = values[:, LAGS:] - found
        scale = spread_of(error, least)
        pulled = np.clip(np.nan_to_num(error), -PULL * scale[:, None], PULL * scale[:, None])
        clean[:, LAGS:] = found + pulled
    away = values[:, LAGS:] - features[-1]
    low, high = quantiles(clean, [0.005, 0.995])
    margin = (high - low) / 2 + 5 * scale
    return Forecast(intercept, weights, scale, low - margin, high + margin, spread_of(away, least))


def slow_gain(day_length: int) -> float:
    """Gain of the slow mean: about a day, 12 to 288 intervals."""
    return 1 / float(np.clip(day_length, 12, 288))


def _features(clean: Floats, slow: float) -> Floats:
    """The regressors (5, S, T - 3) of all values from the fourth on."""
    steps = clean.shape[1]
    lags = [clean[:, LAGS - lag : steps - lag] for lag in range(1, LAGS + 1)]
    means = []
    for gain in (FAST, slow):
        start = (1 - gain) * clean[:, :1]
        mean, _ = lfilter([gain], [1, gain - 1], clean, axis=1, zi=start)
        means.append(mean[:, LAGS - 1 : -1])
    return np.stack([*lags, *means])


def _regress(features: Floats, target: Floats) -> tuple[Floats, Floats]:
    """Intercepts (S) and ridge weights (S, 5)."""
    centre, level = features.mean(axis=2), target.mean(axis=1)
    centred = features - centre[:, :, None]
    rest = target - level[:, None]
    products = np.einsum("ist,jst->sij", centred, centred)
    variance = np.einsum("sii->s", products) / FEATURES / target.shape[1]
    penalty = RIDGE * variance + 1e-12 * (1 + level**2)
    products += penalty[:, None, None] * np.eye(FEATURES)
    weights = np.linalg.solve(products, np.einsum("ist,st->si", centred, rest)[:, :, None])[:, :, 0]
    return level - np.einsum("is,si->s", centre, weights), weights


def spread_of(error: Floats, least: Floats) -> Floats:
    """The larger of 1.4826 MAD and the standard deviation within five of them (S)."""
    middle, spread = robust(error)
    within = np.clip(error - middle, -5 * spread, 5 * spread)
    known = np.isfinite(within)
    square = np.where(known, within, 0.0) ** 2
    wide = np.sqrt(square.sum(axis=1) / np.maximum(known.sum(axis=1), 1))
    result: Floats = np.maximum(np.maximum(spread[:, 0], wide), least)
    return result


def begin(model: Forecast) -> Memory:
    """The memory of series that have done nothing: they were at their level."""
    level = model.intercept / np.maximum(1 - model.weights.sum(axis=1), 0.02)
    level = np.clip(level, model.low, model.high)
    nothing = np.zeros_like(level)
    lags = np.stack([level] * LAGS, axis=1)
    return Memory(lags, level, level, nothing, nothing, np.ones_like(level))


def advance(
    model: Forecast, memory: Memory, values: Floats, day_length: int
) -> tuple[Step, Memory]:
    """Go through deviations (S, T) interval by interval."""
    shape = values.shape
    step = Step(np.empty(shape), np.empty(shape), np.empty(shape), np.empty(shape))
    end = Memory(
        memory.lags.copy(),
        memory.fast.copy(),
        memory.slow.copy(),
        memory.bias.copy(),
        memory.run.copy(),
        memory.scale.copy(),
    )
    _advance(
        model.intercept, model.weights, model.spread, model.low, model.high, model.slow_spread,
        end.lags, end.fast, end.slow, end.bias, end.run, end.scale,
        np.ascontiguousarray(values), slow_gain(day_length), patience(day_length),
        step.expected, step.spread, step.error, step.drift,
    )  # fmt: skip
    return step, end


@compiled
def _advance(
    intercept: Floats,
    weights: Floats,
    spread: Floats,
    low: Floats,
    high: Floats,
    slow_spread: Floats,
    lags: Floats,
    fast: Floats,
    slow: Floats,
    bias: Floats,
    run: Floats,
    scale: Floats,
    values: Floats,
    gain: float,
    patience: float,
    expected: Floats,
    widths: Floats,
    errors: Floats,
    drift: Floats,
) -> None:
    """Fills the last four, (S, T), and brings the memory from `lags` to `scale` up to date."""
    for s in range(values.shape[0]):
        w = weights[s]
        for t in range(values.shape[1]):
            found = intercept[s] + bias[s] + w[LAGS] * fast[s] + w[LAGS + 1] * slow[s]
            for lag in range(LAGS):
                found += w[lag] * lags[s, lag]
            found = min(max(found, low[s]), high[s])
            width = spread[s] * scale[s]
            error = values[s, t] - found
            expected[s, t], widths[s, t] = found, width
            without = error + bias[s]
            errors[s, t] = without if abs(without) < abs(error) else error
            drift[s, t] = (values[s, t] - slow[s]) / slow_spread[s]
            clean = found
            if not np.isnan(error):
                sign = 1.0 if error > 0 else -1.0
                if abs(error) > NOTICED * width and sign * run[s] >= 0:
                    run[s] += sign
                elif run[s] != 0:
                    run[s] -= 1.0 if run[s] > 0 else -1.0
                belief = min(abs(run[s]) / patience, 1.0) ** 2
                reach = PULL * width * (1 + WIDENED * belief)
                pulled = min(max(error, -reach), reach)
                bias[s] += (SLOW_GAIN + QUICK_GAIN * belief) * pulled
                typical = min(abs(error) / spread[s], PULL * scale[s]) / TYPICAL
                wider = scale[s] + SCALE_GAIN * (typical - scale[s])
                scale[s] = min(max(wider, SCALE_LEAST), SCALE_MOST)
                clean = found + pulled
            for lag in range(LAGS - 1, 0, -1):
                lags[s, lag] = lags[s, lag - 1]
            lags[s, 0] = clean
            fast[s] += FAST * (clean - fast[s])
            slow[s] += gain * (clean - slow[s])
