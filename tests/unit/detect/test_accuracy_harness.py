"""The accuracy benches on tiny sizes: what is perfect, random or peeking must come out as that."""

from __future__ import annotations

from datetime import timedelta
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accuracy import counts, faults, hcad, rootcause
from accuracy.baselines import BASELINES, season
from accuracy.detector import Detector, Floats, peeks_at
from accuracy.figures import best_f1, level_at, of_points
from accuracy.today import bartizan

POINTS, SEEDS = hcad.POINTS, (0, 1)


def hcad_truth(train: Floats, test: Floats) -> Floats:
    """What was shifted in the workload that these points come from."""
    values = np.concatenate([train, test])
    return truths()[values.tobytes()][len(train) :]


@cache
def truths() -> dict[bytes, Floats]:
    """Whether each point was shifted, by the values of a workload."""
    made = [hcad.workload(*case, POINTS, seed) for case in hcad.CONFIGS for seed in SEEDS]
    return {values.tobytes(): truth.astype(float) for values, truth in made}


def at_random(train: Floats, test: Floats) -> Floats:
    return np.random.default_rng([len(train), int(abs(test).sum())]).random(len(test))


ORACLE = Detector("oracle", 0.5, hcad_truth)
RANDOM = Detector("random", 0.5, at_random)


def test_cosines_rate_an_oracle_perfect_and_chance_at_the_base_rate() -> None:
    found = list(hcad.results([ORACLE, RANDOM], SEEDS, POINTS))
    assert len(found) == 2 * len(hcad.CONFIGS) * len(SEEDS) * 3
    after = [one for one in found if one.part == "after"]
    for one in after:
        if one.detector == "oracle":
            assert (one.precision, one.recall, one.f1, one.best_f1) == (1, 1, 1, 1)
    chance = [one for one in after if one.detector == "random" and one.start == "trained"]
    base = np.mean([truth.mean() for truth in truths().values()])
    assert 0.002 < base < 0.01  # 0.3 % of the points of every dimension, fewer when together
    assert np.mean([one.precision for one in chance]) == pytest.approx(base, rel=0.2)
    assert np.mean([one.recall for one in chance]) == pytest.approx(0.5, abs=0.1)


def test_counts_rate_an_oracle_perfect_and_chance_at_the_rate_of_false_alarms() -> None:
    given_series = counts.made(4, seed=3)
    quiet_of = {one.train.tobytes(): one.quiet for one in given_series}
    assert len(given_series) == len(quiet_of) == 12

    def changed(train: Floats, test: Floats) -> Floats:
        """An event changes counts; where chance gave the same ones, they cannot be told apart."""
        return np.abs(test - quiet_of[train.tobytes()])[:, 0]

    perfect = counts.result(Detector("oracle", 0.5, changed), given_series)
    events = [event for one in given_series for event in one.events]
    assert len(perfect.events) == len(events) == 4 * (6 + 4 + 3)
    assert (perfect.series, perfect.quiet_points, perfect.false_alarms) == (12, 12 * 336, 0)
    assert all(event.at_1000 is not None for event in perfect.events)
    assert perfect.events == tuple(
        counts.Found(one.family, one.kind, one.at_1000, one.at_1000, one.at_1000)
        for one in perfect.events
    )
    random = counts.result(Detector("random", 0.999, at_random), given_series)
    by_chance = np.mean([1 - 0.999 ** (event.end - event.start) for event in events])
    assert np.mean([e.at_1000 is not None for e in random.events]) <= by_chance + 0.15
    assert random.false_alarms == pytest.approx(0.001, abs=0.002)


def test_series_differ_within_their_events_only() -> None:
    for one in counts.made(4, seed=11):
        inside = np.zeros(len(one.quiet), dtype=bool)
        for event in one.events:
            assert not inside[event.start : event.end].any()
            inside[event.start : event.end] = True
        assert np.array_equal(one.quiet[~inside], one.attacked[~inside])
        assert not np.array_equal(one.quiet[inside], one.attacked[inside])


def test_root_causes_are_matched_exactly_or_not_at_all() -> None:
    some = list(faults.faults(1, seed=5))
    methods: dict[str, rootcause.Explain] = {
        "oracle": lambda fault: fault.causes,
        "parts": lambda fault: frozenset((part,) for cause in fault.causes for part in cause),
        "silent": lambda fault: frozenset(),
    }
    found = rootcause.results(some, methods)
    by_method = {
        name: rootcause.exact([one for one in found if one.method == name]) for name in methods
    }
    assert len(some) == 36
    assert by_method["oracle"] == 1
    assert by_method["silent"] == 0
    assert 0 < by_method["parts"] < 1  # right for single dimensions, wrong for combinations


def test_faults_keep_the_generalised_ripple_effect() -> None:
    for fault in faults.faults(1, seed=6):
        gap = 2 * (fault.forecast - fault.actual) / (fault.forecast + fault.actual)
        inside = np.zeros(len(gap), dtype=bool)
        for cause in fault.causes:
            hit = faults.members(fault.codes, cause)
            assert hit.sum() >= 3
            assert np.ptp(gap[hit]) < 1e-9
            inside |= hit
        assert abs(np.median(fault.actual[~inside] / fault.forecast[~inside]) - 1) < 0.05


@pytest.mark.parametrize("cold", [False, True])
def test_who_looks_ahead_is_caught(cold: bool) -> None:
    values, _ = hcad.workload(2, True, 700, 0)
    train, test = (values[:0], values) if cold else (values[:300], values[300:])
    cuts = (1, len(test) // 3, len(test) - 5)
    honest = [*BASELINES, bartizan(timedelta(hours=1))]
    assert {one.name: peeks_at(one, train, test, cuts) for one in honest} == {
        one.name: None for one in honest
    }
    whole = Detector("mean of all", 3.0, lambda _, test: test[:, 0] - test.mean())
    ahead = Detector("next point", 3.0, lambda _, test: np.roll(test[:, 0], -1))
    assert peeks_at(whole, train, test, cuts) == 1
    assert peeks_at(ahead, train, test, cuts) == 1


@given(
    st.lists(
        st.tuples(st.sampled_from([0.0, 1.0, 2.0, 3.0, np.nan]), st.booleans()),
        min_size=1,
        max_size=30,
    )
)
def test_the_best_threshold_is_the_best_of_all(points: list[tuple[float, bool]]) -> None:
    scores, truth = np.array([p[0] for p in points]), np.array([p[1] for p in points])
    tried = [of_points(scores, truth, threshold).f1 for threshold in (0.0, 1.0, 2.0, 3.0, 4.0)]
    assert best_f1(np.nan_to_num(scores, nan=-np.inf), truth) == pytest.approx(max(tried))


@given(st.lists(st.floats(-5, 5) | st.just(np.nan), min_size=1, max_size=200), st.floats(0, 0.9))
def test_no_more_quiet_points_than_allowed_exceed_the_level(
    scores: list[float], rate: float
) -> None:
    quiet = np.array(scores)
    level = level_at(quiet, rate)
    assert (np.nan_to_num(quiet, nan=-np.inf) > level).mean() <= rate


def test_the_season_is_found_where_there_is_one() -> None:
    rng = np.random.default_rng(0)
    time = np.arange(600)
    wave = np.cos(2 * np.pi * time / 37) + 0.3 * rng.normal(size=600)
    assert season(wave[:, None]) % 37 in (0, 1, 36)
    assert season(rng.normal(size=(600, 1))) == 1
    assert season(np.zeros((600, 1))) == 1
