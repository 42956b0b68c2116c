"""What the accuracy benches measure: anything that scores the points of a series as they come."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Run = Callable[[Floats, Floats], Floats]
Judge = Callable[[Floats], Floats]

READY = 300  # points from which a detector learns that was given no training part


@dataclass(frozen=True)
class Detector:
    """`run(train, test)` takes float[n, d] and float[m, d] and returns scores float[m].

    A score may use the training part and the test points up to and with its own, none after it
    (`peeks_at` tells). It is NaN where the detector is not ready; that is no alarm. From
    `threshold` on a score is an alarm: one number for all data, fixed before looking at any.
    `slow` ones are measured on request only, and on a sample.
    """

    name: str
    threshold: float
    run: Run
    slow: bool = False


def fitted(fit: Callable[[Floats], Judge]) -> Run:
    """The run of a detector that learns once: `fit` takes points, returns the judge of later ones.

    Without a training part it learns from the first READY points, and does not judge those.
    """

    def run(train: Floats, test: Floats) -> Floats:
        unjudged = 0 if len(train) else READY
        if len(test) <= unjudged:
            return np.full(len(test), np.nan)
        judge = fit(np.concatenate([train, test[:unjudged]]))
        return np.concatenate([np.full(unjudged, np.nan), judge(test[unjudged:])])

    return run


def peeks_at(detector: Detector, train: Floats, test: Floats, cuts: Sequence[int]) -> int | None:
    """The first of the cuts at which leaving out what follows changes the scores before it."""
    whole = detector.run(train, test)
    for cut in cuts:
        if not np.allclose(detector.run(train, test[:cut]), whole[:cut], equal_nan=True):
            return cut
    return None
