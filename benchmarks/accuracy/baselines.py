"""The plain rules that every detector has to beat. Of several dimensions the worst one counts."""

from __future__ import annotations

import numpy as np
from scipy.signal import lfilter

from accuracy.detector import Detector, Floats, Judge, fitted

TINY = 1e-9
RANGE = 0.001  # the static threshold leaves out so much of the training part on either side


def step(train: Floats) -> Floats:
    """The least difference (d) between two values of a dimension: no spread is taken for smaller.

    A dimension that never changes has steps of one if it is whole, of a billionth if not.
    """
    return np.array([_step(column) for column in train.T])


def _step(column: Floats) -> float:
    values = np.unique(column)
    if len(values) > 1:
        return max(float(np.diff(values).min()), TINY)
    return 1.0 if float(values[0]).is_integer() else TINY


def _static(train: Floats) -> Judge:
    low, high = np.quantile(train, [RANGE, 1 - RANGE], axis=0)
    return _distance((low + high) / 2, np.maximum((high - low) / 2, step(train)))


def _three_sigma(train: Floats) -> Judge:
    return _distance(train.mean(axis=0), np.maximum(train.std(axis=0), step(train)))


def _robust(train: Floats) -> Judge:
    """Median and MAD; where that is zero, the mean absolute deviation (Iglewicz, Hoaglin 1993)."""
    middle = np.median(train, axis=0)
    away = np.abs(train - middle)
    mad = 1.4826 * np.median(away, axis=0)
    spread = np.where(mad > 0, mad, 1.2533 * away.mean(axis=0))
    return _distance(middle, np.maximum(spread, step(train)))


def _distance(middle: Floats, spread: Floats) -> Judge:
    return lambda points: worst((points - middle) / spread)


def worst(distance: Floats) -> Floats:
    """The largest absolute value (m) of the dimensions (m, d)."""
    largest: Floats = np.abs(distance).max(axis=1)
    return largest


def season(train: Floats) -> int:
    """The first lag at which the autocorrelation, averaged over dimensions, is near its highest.

    Near is 95 % of the highest peak. A peak is above its neighbours and above 0.2; lags up to a
    third of the training part. 1 where there is none.
    """
    centred = train - train.mean(axis=0)
    size = 2 ** int(np.ceil(np.log2(2 * len(centred))))
    power = np.abs(np.fft.rfft(centred, size, axis=0)) ** 2
    covariance = np.fft.irfft(power, size, axis=0)[: len(centred) // 3]
    covariance /= (len(centred) - np.arange(len(covariance)))[:, None]
    correlation = (covariance / np.maximum(covariance[0], TINY)).mean(axis=1)
    inner = correlation[1:-1]
    peak = (inner > correlation[:-2]) & (inner >= correlation[2:]) & (inner > 0.2)
    if not peak.any():
        return 1
    return int((peak & (inner >= 0.95 * inner[peak].max())).argmax()) + 1


def _seasonal_naive(train: Floats) -> Judge:
    """Difference to one season ago over the standard deviation of such differences."""
    lag = season(train)
    spread = np.maximum((train[lag:] - train[:-lag]).std(axis=0), step(train))

    def judge(points: Floats) -> Floats:
        seen = np.concatenate([train[-lag:], points])
        return worst((seen[lag:] - seen[:-lag]) / spread)

    return judge


EWMA_GAIN = 0.2


def _ewma(train: Floats) -> Judge:
    """Difference to the exponential mean of the past over its standard deviation in training."""
    start = train[:1]
    gains = [EWMA_GAIN], [1, EWMA_GAIN - 1]

    def errors(points: Floats) -> Floats:
        level = start + lfilter(*gains, points - start, axis=0)
        return np.asarray(points[1:] - level[:-1])

    spread = np.maximum(errors(train).std(axis=0), step(train))
    return lambda points: worst(errors(np.concatenate([train, points]))[-len(points) :] / spread)


LEVEL, TREND, SEASON, SPREAD = 0.2, 0.01, 0.1, 0.02  # gains of Holt-Winters


def _holt_winters(train: Floats) -> Judge:
    """Additive Holt-Winters; its error over its exponential mean absolute error (Brutlag 2000)."""
    lag = season(train)
    level = train[:lag].mean(axis=0)
    seasonal = train[:lag] - level
    trend = np.zeros_like(level)
    away = np.abs(train - train.mean(axis=0)).mean(axis=0)
    least = step(train)

    def judge(points: Floats) -> Floats:
        now, slope, rhythm, usual = level, trend, seasonal.copy(), away
        scores = np.empty((len(train) + len(points), len(level)))
        for place, point in enumerate(np.concatenate([train, points])):
            slot = place % lag
            error = point - (now + slope + rhythm[slot])
            scores[place] = error / np.maximum(1.2533 * usual, least)
            slope = slope + TREND * LEVEL * error
            now = now + slope + LEVEL * error
            rhythm[slot] += SEASON * error
            usual = usual + SPREAD * (np.abs(error) - usual)
        return worst(scores[-len(points) :])

    return judge


BASELINES = (
    Detector("static threshold", 1.01, fitted(_static)),
    Detector("3 sigma", 3.0, fitted(_three_sigma)),
    Detector("robust z", 3.5, fitted(_robust)),
    Detector("seasonal naive", 3.0, fitted(_seasonal_naive)),
    Detector("EWMA", 3.0, fitted(_ewma)),
    Detector("Holt-Winters", 3.0, fitted(_holt_winters)),
)
