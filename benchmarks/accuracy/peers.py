"""Detectors from PyPI, from var/bench/peers, with their libraries' defaults.

Those that know no time see shingles: the last eight points of every dimension (as OpenSearch).
Alarms: at the library's own default where it has one, else beyond the 0.995 quantile of the
training part's scores (OpenSearch's p).
"""

from __future__ import annotations

import importlib.metadata
import sys
import types
from collections.abc import Callable
from itertools import pairwise

import numpy as np

from accuracy.baselines import TINY, season, worst
from accuracy.detector import Detector, Floats, Judge, fitted

SHINGLE = 8
QUANTILE = 0.995
SEED = 0


def shingles(points: Floats) -> Floats:
    """The last SHINGLE points (m - SHINGLE + 1, SHINGLE d) at each point that has so many."""
    windows = np.lib.stride_tricks.sliding_window_view(points, SHINGLE, axis=0)
    return windows.reshape(len(windows), -1)


def on_shingles(fit: Callable[[Floats], Judge]) -> Callable[[Floats], Judge]:
    """A detector of rows as one of points: it sees the last points of the training part too."""

    def of_points(train: Floats) -> Judge:
        judge = fit(shingles(train))
        before = train[1 - SHINGLE :]
        return lambda points: judge(shingles(np.concatenate([before, points])))

    return of_points


def isolation_forest() -> Detector:
    from sklearn.ensemble import IsolationForest  # noqa: PLC0415

    def fit(rows: Floats) -> Judge:
        model = IsolationForest(random_state=SEED).fit(rows)
        return lambda later: -model.score_samples(later)

    return Detector("IsolationForest", 0.5, fitted(on_shingles(fit)))


def local_outlier_factor() -> Detector:
    from sklearn.neighbors import LocalOutlierFactor  # noqa: PLC0415

    def fit(rows: Floats) -> Judge:
        model = LocalOutlierFactor(novelty=True).fit(rows)
        return lambda later: -model.score_samples(later)

    return Detector("LocalOutlierFactor", 1.5, fitted(on_shingles(fit)))


def hbos() -> Detector:
    from pyod.models.hbos import HBOS  # noqa: PLC0415

    def fit(rows: Floats) -> Judge:
        model = HBOS().fit(rows)
        least, usual = float(model.decision_scores_.min()), float(model.threshold_)
        return lambda later: (model.decision_function(later) - least) / max(usual - least, TINY)

    return Detector("PyOD HBOS", 1.0, fitted(on_shingles(fit)))


def ecod() -> Detector:
    """Row by row: ECOD ranks the rows it is given together among each other, which peeks."""
    from pyod.models.ecod import ECOD  # noqa: PLC0415

    def fit(rows: Floats) -> Judge:
        model = ECOD().fit(rows)
        usual = max(float(model.threshold_), TINY)
        return lambda later: np.array(
            [model.decision_function(row[None])[0] / usual for row in later]
        )

    return Detector("PyOD ECOD", 1.0, fitted(on_shingles(fit)), slow=True)


def half_space_trees() -> Detector:
    """It learns on; its features must lie in [0, 1], the range of the training part."""
    from river.anomaly import HalfSpaceTrees  # noqa: PLC0415

    def fit(rows: Floats) -> Judge:
        low, high = rows.min(axis=0), rows.max(axis=0)
        model = HalfSpaceTrees(seed=SEED)

        def scores(later: Floats) -> Floats:
            scaled = np.clip((later - low) / np.maximum(high - low, TINY), 0, 1)
            found = np.empty(len(scaled))
            for place, row in enumerate(scaled):
                features = dict(enumerate(row.tolist()))
                found[place] = model.score_one(features)
                model.learn_one(features)
            return found

        return over_quantile(scores(rows)[len(rows) // 2 :], scores)

    return Detector("river HalfSpaceTrees", 1.0, fitted(on_shingles(fit)))


TREES, SAMPLE = 20, 128


def random_cut_forest() -> Detector:
    """rrcf: collusive displacement in sliding samples; 20 trees of 128 for its speed's sake."""
    # Its __init__ reads its version by pkg_resources, which setuptools no longer has.
    old = types.ModuleType("pkg_resources")
    old.get_distribution = importlib.metadata.distribution  # type: ignore[attr-defined]
    sys.modules.setdefault("pkg_resources", old)
    from rrcf import RCTree  # noqa: PLC0415

    def fit(rows: Floats) -> Judge:
        trees = [RCTree(random_state=SEED + number) for number in range(TREES)]
        seen = 0

        def scores(later: Floats) -> Floats:
            nonlocal seen
            found = np.zeros(len(later))
            for place, row in enumerate(later):
                for tree in trees:
                    if len(tree.leaves) == SAMPLE:
                        tree.forget_point(seen - SAMPLE)
                    tree.insert_point(row, index=seen)
                    found[place] += tree.codisp(seen) / TREES
                seen += 1
            return found

        return over_quantile(scores(rows)[len(rows) // 2 :], scores)

    return Detector("rrcf", 1.0, fitted(on_shingles(fit)), slow=True)


def over_quantile(trained: Floats, scores: Judge) -> Judge:
    usual = max(float(np.quantile(trained, QUANTILE)), TINY)
    return lambda later: scores(later) / usual


LEARNED_SEASONS = 10


def mstl() -> Detector:
    """statsforecast: a season ahead from the last ten seasons; error over the model's own."""
    from statsforecast.models import MSTL  # noqa: PLC0415

    def fit(train: Floats) -> Judge:
        lag = max(season(train), 2)

        def judge(points: Floats) -> Floats:
            seen = np.concatenate([train, points])
            starts = [*range(len(train), len(seen), lag), len(seen)]
            parts = [
                worst(np.stack([errors(column, *cut) for column in seen.T], axis=1))
                for cut in pairwise(starts)
            ]
            return np.concatenate(parts)

        def errors(column: Floats, start: int, end: int) -> Floats:
            past = column[max(start - LEARNED_SEASONS * lag, 0) : start]
            said = MSTL(season_length=[lag]).fit(past).predict(h=end - start, level=[68.27])
            spread = np.maximum((said["hi-68.27"] - said["lo-68.27"]) / 2, TINY)
            return (column[start:end] - said["mean"]) / spread

        return judge

    return Detector("statsforecast MSTL", 3.0, fitted(fit), slow=True)


PEERS = (
    isolation_forest,
    local_outlier_factor,
    hbos,
    half_space_trees,
    ecod,
    random_cut_forest,
    mstl,
)
