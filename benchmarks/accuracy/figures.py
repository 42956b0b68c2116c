"""Figures of merit. A score that is NaN is no alarm."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from accuracy.detector import Floats

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Points:
    """Pointwise figures, 0 where nothing was found.

    `best_f1` is the F1 at the threshold that suits these very points best: what no one can know
    beforehand, an upper bound.
    """

    precision: float
    recall: float
    f1: float
    best_f1: float


def of_points(scores: Floats, truth: Flags, threshold: float) -> Points:
    judged = np.nan_to_num(scores, nan=-np.inf)
    alarms = judged >= threshold
    hits = int((alarms & truth).sum())
    precision, recall = hits / max(int(alarms.sum()), 1), hits / max(int(truth.sum()), 1)
    return Points(precision, recall, f1(hits, alarms.sum(), truth.sum()), best_f1(judged, truth))


def f1(hits: int, said: int, true: int) -> float:
    """The harmonic mean of precision and recall; 0 when nothing was said or true."""
    return float(2 * hits / max(said + true, 1))


def best_f1(scores: Floats, truth: Flags) -> float:
    order = np.argsort(-scores, kind="stable")
    ordered = scores[order]
    hits = np.cumsum(truth[order])
    # Equal scores are alarms together; a point that is not judged can be none.
    ends = np.append(ordered[1:] != ordered[:-1], True) & np.isfinite(ordered)
    f1s = 2 * hits / (np.arange(1, len(scores) + 1) + truth.sum())
    return float(f1s[ends].max(initial=0.0))


def level_at(quiet: Floats, rate: float) -> float:
    """The score that at most this share of quiet points exceeds."""
    judged = np.sort(np.nan_to_num(quiet, nan=-np.inf))[::-1]
    return float(judged[int(rate * len(judged))])
