"""The mix of categories: many small moves at a constant total."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import sqrt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from upath import UPath

from bartizan.detect.arrays import to_numbers
from bartizan.detect.categories import MOST, Categories, Watched, find_categories
from bartizan.detect.group import find_groups
from bartizan.detect.learn import DetectorState, learn
from bartizan.detect.mix import see
from bartizan.detect.parts import load_recent, save_recent
from bartizan.detect.score import follow, score
from bartizan.model.connector import Aggregation, Connector, Measure
from bartizan.model.window import HOUR, Window, naive

START = datetime(2026, 11, 2, tzinfo=UTC)
DAYS, LEARNED = 22, 15
HISTORY = Window(START, START + LEARNED * 24 * HOUR)
LIVE = Window(HISTORY.end, START + DAYS * 24 * HOUR)
SHIFTED = (LEARNED + 2) * 24 + 14  # the hour in which it begins
HOURS = range(SHIFTED, SHIFTED + 2)
WEBACLS, COUNTRIES = ("app", "shop"), 24
GAINING = {f"country {number:02d}" for number in range(0, COUNTRIES, 2)}
CONNECTOR = Connector(
    "mix", "", HOUR, timedelta(), "t", ("webacl", "country"), (Measure("requests"),), ""
)


def counts(seed: int, dispersion: float, times: float = 1.0) -> np.ndarray:
    """Counts (web ACLs, countries, hours) by day and night, overdispersed."""
    rng, hours = np.random.default_rng(seed), np.arange(DAYS * 24)
    level = times * rng.uniform(25, 60, (len(WEBACLS), COUNTRIES, 1))
    rate = level * (1 + 0.4 * np.sin(2 * np.pi * hours / 24))
    size = 1 / max(dispersion, 1e-6)
    return rng.poisson(rate * rng.gamma(size, 1 / size, rate.shape)).astype(float)


def shifted(seed: int, share: float) -> np.ndarray:
    """A share of every second country's requests to "app" comes from its neighbour instead."""
    found = counts(seed, 0.005)
    moved = np.round(share * found[0, 1::2, HOURS])
    found[0, 1::2, HOURS] -= moved
    found[0, ::2, HOURS] += moved
    return found


def rows(values: np.ndarray, connector: Connector = CONNECTOR) -> pd.DataFrame:
    """A row for each count of `values`, one axis a dimension and the last one the hours."""
    names = [WEBACLS, [f"country {number:02d}" for number in range(COUNTRIES)], ["a", "b"]]
    each = np.indices(values.shape).reshape(values.ndim, -1)
    given = {"webacl": 0, "country": values.ndim - 2, "half": 1}
    columns = {
        name: np.array(names[("webacl", "country", "half").index(name)])[each[given[name]]]
        for name in connector.dimensions
    }
    times = np.datetime64(naive(START), "us") + each[-1] * np.timedelta64(1, "h")
    return pd.DataFrame({"interval_start": times, **columns, "requests": values.reshape(-1)})


def scored(frame: pd.DataFrame, connector: Connector = CONNECTOR) -> pd.DataFrame:
    return score(learn(frame, connector, HISTORY), frame, connector, LIVE)


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return rows(shifted(1, 0.35))


@pytest.fixture(scope="module")
def state(frame: pd.DataFrame) -> DetectorState:
    return learn(frame, CONNECTOR, HISTORY)


@pytest.fixture(scope="module")
def scores(frame: pd.DataFrame, state: DetectorState) -> pd.DataFrame:
    return score(state, frame, CONNECTOR, LIVE)


def at_the_hours(scores: pd.DataFrame) -> pd.DataFrame:
    hour = (scores["interval_start"] - naive(START)) // pd.Timedelta(hours=1)
    return scores[hour.isin(HOURS)]


def told(scores: pd.DataFrame) -> pd.DataFrame:
    return scores[(scores["reason"] == "mix") & (scores["severity"] >= 70)]


def without_mix(state: DetectorState) -> DetectorState:
    measures = {name: replace(one, mix=None) for name, one in state.measures.items()}
    return replace(state, measures=measures)


def watch(values: np.ndarray, expected: np.ndarray, group: np.ndarray) -> Watched:
    return Watched(Categories(np.arange(len(values)), group, alone=False), values, expected)


@given(
    arrays(float, (7, 5), elements=st.integers(0, 10**6).map(float)),
    arrays(float, (7, 5), elements=st.floats(1e-3, 1e6)),
    arrays(float, 7, elements=st.floats(0, 2)),
)
@settings(max_examples=25)
def test_the_distance_is_the_sum_over_categories_of_its_formula(
    values: np.ndarray, expected: np.ndarray, dispersion: np.ndarray
) -> None:
    group = np.array([0, 0, 0, 1, 1, 1, 1])
    seen = see(watch(values, expected, group), dispersion)
    for number in (0, 1):
        rows = [row for row in range(7) if group[row] == number]
        for t in range(5):
            whole, usual = (sum(one[row, t] for row in rows) for one in (values, expected))
            found = 0.0
            for row in rows:
                due = whole * expected[row, t] / usual
                root = sqrt(values[row, t] + 0.375) - sqrt(due + 0.125)
                found += 4 * root * root / (1 + dispersion[row] * due)
            assert seen.distance[number, t] == pytest.approx(found, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("mean", [4.0, 20.0, 400.0])
def test_by_chance_the_distance_is_a_chi_square(mean: float) -> None:
    """Of ten categories nine are free: mean 9, variance 18."""
    rng = np.random.default_rng(3)
    expected = np.full((10, 20_000), mean)
    values = rng.poisson(expected).astype(float)
    distance = see(watch(values, expected, np.zeros(10, np.int64)), np.zeros(10)).distance
    assert distance.mean() == pytest.approx(9, rel=0.1)
    assert distance.var() == pytest.approx(18, rel=0.15)


def test_twice_of_everything_is_no_distance_and_gaps_are_none() -> None:
    expected = np.random.default_rng(1).uniform(50, 500, (6, 4))
    group, none = np.zeros(6, np.int64), np.zeros(6)
    same = see(watch(2 * expected, expected, group), none)
    assert same.distance.max() < 0.1
    assert not same.matters.any()
    values = 2 * expected
    values[:, 1], values[3, 2] = np.nan, np.nan
    gaps = see(watch(values, expected, group), none)
    assert np.isnan(gaps.distance[0]).tolist() == [False, True, False, False]
    assert gaps.distance[0, 2] < 0.1
    unlike = see(watch(expected[::-1], expected, group), none)
    assert unlike.distance.min() > 40
    assert unlike.matters.all()


def test_many_small_moves_at_a_constant_total_are_told_of_those_that_gained(
    frame: pd.DataFrame, scores: pd.DataFrame
) -> None:
    usual = rows(counts(1, 0.005))
    hours = ["webacl", "interval_start"]
    pd.testing.assert_series_equal(
        frame.groupby(hours)["requests"].sum(), usual.groupby(hours)["requests"].sum()
    )
    found = told(scores)
    assert len(found) >= 5
    assert len(at_the_hours(found)) == len(found)
    assert set(found["webacl"]) == {"app"}
    assert set(found["country"]) <= GAINING
    assert set(found["direction"]) == {"above"}
    (incident,) = find_groups(scores, CONNECTOR, 70)
    assert incident.window.start == START + SHIFTED * HOUR
    assert {one.reason for one in incident.anomalies} <= {"mix", "continues"}


def test_no_series_and_no_total_shows_it(frame: pd.DataFrame, state: DetectorState) -> None:
    alone = score(without_mix(state), frame, CONNECTOR, LIVE)
    assert len(alone) == len(WEBACLS) * COUNTRIES * (DAYS - LEARNED) * 24
    assert at_the_hours(alone)["severity"].max() < 70


def test_what_all_gain_alike_is_no_matter_of_the_mix() -> None:
    values = counts(1, 0.005)
    values[0][:, HOURS] *= 2
    found = at_the_hours(scored(rows(values)))
    assert set(found.loc[found["severity"] >= 70, "webacl"]) == {"app"}
    assert told(found).empty


def test_where_a_part_is_lost_those_that_lost_are_told() -> None:
    values = counts(1, 0.005)
    values[0][1::2, HOURS] = np.round(0.4 * values[0][1::2, HOURS])
    found = told(scored(rows(values)))
    assert len(found) >= 4
    assert set(found["direction"]) == {"below"}
    assert not set(found["country"]) & GAINING


def test_a_share_that_does_not_matter_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred times as many requests: two in a hundred that move are no chance, and no matter."""
    values = counts(1, 0.0, times=100)
    moved = np.round(0.04 * values[0, 1::2, HOURS])
    values[0, 1::2, HOURS] -= moved
    values[0, ::2, HOURS] += moved
    frame = rows(values)
    state = learn(frame, CONNECTOR, HISTORY)
    assert told(score(state, frame, CONNECTOR, LIVE)).empty
    monkeypatch.setattr("bartizan.detect.mix.LEAST_SHARE", 0.0)
    assert not told(score(state, frame, CONNECTOR, LIVE)).empty


@pytest.mark.parametrize("dispersion", [0.0, 0.05, 0.5])
def test_quiet_weeks_are_quiet(dispersion: float) -> None:
    """The budget of all tests is one false point a week; mixes have few of them, and each weak one
    needs company to be an incident."""
    frame = rows(counts(5, dispersion))
    scores = scored(frame)
    assert len(scores) == len(WEBACLS) * COUNTRIES * 7 * 24
    assert told(scores)["interval_start"].nunique() <= 1
    raised = [one for one in find_groups(scores, CONNECTOR, 70) if "mix" in reasons(one.anomalies)]
    assert raised == []


def reasons(anomalies: tuple) -> set[str]:
    return {one.reason for one in anomalies}


def test_hour_by_hour_with_what_is_kept_is_the_same_as_at_once(
    frame: pd.DataFrame, state: DetectorState, scores: pd.DataFrame, tmp_path: Path
) -> None:
    state.save(UPath(tmp_path / "state"))
    kept, pieces = DetectorState.load(UPath(tmp_path / "state")), []
    hours = Window(LIVE.start, START + (HOURS.stop + 1) * HOUR)
    for window in hours.split(HOUR):
        seen = frame[frame["interval_start"] < naive(window.end)]
        found, kept = follow(kept, seen, CONNECTOR, window)
        save_recent(UPath(tmp_path / "recent"), kept.parts)
        kept = state.after(window.end, iter(load_recent(UPath(tmp_path / "recent"), state.parts)))
        pieces.append(found)
    found = pd.concat(pieces, ignore_index=True)
    assert not told(found).empty
    pd.testing.assert_frame_equal(found, scores.head(len(found)), check_exact=True)
    _, after = follow(state, frame, CONNECTOR, hours)
    one, other, begin = (each.measures["requests"].mix.part.memory for each in (kept, after, state))
    assert np.array_equal(to_numbers(one), to_numbers(other))
    assert not np.array_equal(to_numbers(one), to_numbers(begin))


def test_order_of_rows_changes_nothing(frame: pd.DataFrame, scores: pd.DataFrame) -> None:
    shuffled = frame.sample(frac=1, random_state=1)
    pd.testing.assert_frame_equal(scores, scored(shuffled), check_exact=True)


def test_of_categories_that_share_no_cause_only_the_foremost_is_told() -> None:
    connector = replace(CONNECTOR, dimensions=("country",))
    found = told(scored(rows(shifted(1, 0.35)[0], connector), connector))
    assert found["interval_start"].is_unique
    assert set(found["country"]) <= GAINING
    assert len(found) >= 1


def test_of_three_dimensions_the_mix_of_a_total_is_told_of_its_series() -> None:
    connector = replace(CONNECTOR, dimensions=("webacl", "half", "country"))
    whole = shifted(1, 0.35)
    first = np.random.default_rng(2).binomial(whole.astype(int), 0.5).astype(float)
    halves = np.stack([first, whole - first], axis=1)
    found = told(scored(rows(halves, connector), connector))
    assert len(found) >= 5
    assert set(found["webacl"]) == {"app"}
    assert set(found["country"]) <= GAINING


def test_two_categories_averages_and_the_rare_have_no_mix() -> None:
    def learned(frame: pd.DataFrame, measure: Measure = CONNECTOR.measures[0]) -> bool:
        state = learn(frame, replace(CONNECTOR, measures=(measure,)), HISTORY)
        return state.measures["requests"].mix is not None

    values = counts(1, 0.0)
    assert learned(rows(values[:, :3]))
    assert not learned(rows(values[:, :2]))
    assert not learned(rows(values), Measure("requests", Aggregation.AVG))
    assert not learned(rows(np.round(values[:, :3] / 100)))


def test_the_largest_categories_of_the_largest_groups_are_watched() -> None:
    keys = pd.DataFrame(
        {
            "webacl": np.repeat([f"acl {one:03d}" for one in range(60)], 60),
            "country": np.tile([f"country {one:02d}" for one in range(60)], 60),
        }
    )
    level = np.random.default_rng(1).permutation(60 * 60) + 1.0
    ready = np.ones(60 * 60, dtype=bool)
    ready[:58] = False  # of the first group two categories are left
    found = find_categories(keys, level, ready)
    assert found is not None
    assert found.groups == MOST
    assert np.bincount(found.group).tolist() == [MOST] * MOST
    names = keys["webacl"].to_numpy()[found.rows]
    assert "acl 000" not in set(names)
    for name in set(names):
        own = level[(keys["webacl"] == name).to_numpy()]
        assert level[found.rows[names == name]].min() == np.sort(own)[-MOST]
    assert find_categories(keys[:4], level[:4], ready[:4]) is None
