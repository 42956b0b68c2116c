"""The workload of OpenSearch's high-cardinality anomaly detection, as its tests generate it.

Cosines of period 50 with random phase, amplitude 100 (1 + 0.2 u) in each dimension, noise 5 u
(u uniform in [0, 1]). At 1 % of the points each dimension is shifted with chance 0.3 by
+-5 (1 + u) noise: at the same points in all dimensions ("together"), or at each dimension's own
("each"; the same thing in one dimension). A point is anomalous if any dimension was shifted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

import numpy as np

from accuracy.detector import Detector, Floats
from accuracy.figures import Flags, of_points

INTERVAL = timedelta(minutes=5)
POINTS, TRAIN, PERIOD = 5_127, 300, 50
AMPLITUDE, NOISE = 100.0, 5.0
CONFIGS = ((1, True), (2, True), (2, False), (4, True), (4, False))  # dimensions, together


def workload(dimensions: int, together: bool, points: int, seed: int) -> tuple[Floats, Flags]:
    """Values (points, dimensions), and which points are anomalous."""
    rng = np.random.default_rng([seed, dimensions, together])
    phase = rng.integers(PERIOD, size=dimensions)
    amplitude = AMPLITUDE * (1 + 0.2 * rng.random(dimensions))
    shape = (points, dimensions)
    place = np.arange(points)[:, None]
    values = amplitude * np.cos(2 * np.pi * (place + phase) / PERIOD) + NOISE * rng.random(shape)
    chosen = np.broadcast_to(rng.random((points, 1) if together else shape) < 0.01, shape)
    shifted = chosen & (rng.random(shape) < 0.3)
    sign = np.where(rng.random(shape) < 0.5, 1, -1)
    shift = sign * 5 * (1 + rng.random(shape)) * NOISE
    return np.where(shifted, values + shift, values), np.asarray(shifted.any(axis=1))


@dataclass(frozen=True)
class Result:
    """One run. `start` is "trained" on the first 300 points or "cold", without them (slow ones are
    not started cold, and have one seed only).

    `part` is "after" the first 300 points, or the "first" 300 of a cold start.
    """

    detector: str
    dimensions: int
    together: bool
    seed: int
    start: str
    part: str
    precision: float
    recall: float
    f1: float
    best_f1: float


def results(
    detectors: Sequence[Detector], seeds: Sequence[int], points: int = POINTS
) -> Iterator[Result]:
    for dimensions, together in CONFIGS:
        for seed in seeds:
            values, truth = workload(dimensions, together, points, seed)
            for one in detectors:
                if one.slow and seed != seeds[0]:
                    continue
                case = (one.name, dimensions, together, seed)
                parts = [("trained", "after", one.run(values[:TRAIN], values[TRAIN:]))]
                if not one.slow:
                    cold = one.run(values[:0], values)
                    parts += [("cold", "after", cold[TRAIN:]), ("cold", "first", cold[:TRAIN])]
                for start, part, scores in parts:
                    of = truth[TRAIN:] if part == "after" else truth[:TRAIN]
                    yield Result(*case, start, part, **vars(of_points(scores, of, one.threshold)))


def table(found: Sequence[Result]) -> tuple[list[str], list[list[str]]]:
    """Per detector: mean and standard deviation over all runs, F1 of each configuration."""
    head = ["detector", "runs", "precision", "recall", "F1", "cold F1", "best-threshold F1"]
    head += [f"F1 {_named(*config)}" for config in CONFIGS]
    rows = []
    for name in dict.fromkeys(one.detector for one in found):
        after = [one for one in found if one.detector == name and one.part == "after"]
        trained = [one for one in after if one.start == "trained"]
        cold = [one for one in after if one.start == "cold"]
        row = [name, str(len(trained))]
        row += [_mean([getattr(one, key) for one in trained]) for key in ("precision", "recall")]
        row += [_mean([one.f1 for one in some]) for some in (trained, cold)]
        row += [_mean([one.best_f1 for one in trained])]
        row += [
            _mean([o.f1 for o in trained if (o.dimensions, o.together) == config])
            for config in CONFIGS
        ]
        rows.append(row)
    return head, rows


def _named(dimensions: int, together: bool) -> str:
    return "1 dim" if dimensions == 1 else f"{dimensions} {'together' if together else 'each'}"


def _mean(values: Sequence[float]) -> str:
    return f"{np.mean(values):.2f} ± {np.std(values):.2f}" if values else "-"


def plain(found: Sequence[Result]) -> list[dict[str, Any]]:
    return [asdict(one) for one in found]
