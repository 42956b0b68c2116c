"""What the models know: found periods, levels that move, what was told, what is a habit."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from bartizan.detect import incidents, learn, score
from bartizan.detect.habit import FROM, fit_habit
from bartizan.detect.outlook import smooth
from bartizan.detect.periods import find_period
from bartizan.detect.told import nothing_told, told_before

RNG = np.random.default_rng
TIMES = pd.date_range("2026-06-01", periods=3000, freq="5min")


def judged(values: np.ndarray, learned: int, aggregation: str = "AVG") -> pd.DataFrame:
    rows = pd.DataFrame({"timestamp": TIMES[: len(values)], "x": values})
    detector = learn(rows[:learned], {"x": aggregation}, frequency="PT5M")
    scores = score(detector, rows)
    assert len(scores) == len(values) - learned
    return scores.assign(incidents=len(incidents(detector, scores)))


@given(st.integers(5, 90), st.integers(0, 100))
@settings(max_examples=25)
def test_a_period_is_found_and_none_in_noise(period: int, seed: int) -> None:
    noise = RNG(seed).normal(0, 1, (2, 600))
    shape = RNG(seed + 1).normal(0, 4, period)
    noise[0] += shape[np.arange(600) % period]
    noise[0, RNG(seed).random(600) < 0.05] = np.nan
    found, none = find_period(noise).tolist()
    assert (found % period, none) == (0, 0)
    assert found > 0  # in much noise a multiple may look as good


def test_a_week_of_history_makes_no_weekday_of_its_first_half_day() -> None:
    """The same day each day, in the first half of which there is more: no day differs."""
    day = 288
    wave = 1 + 0.8 * np.sin(2 * np.pi * np.arange(8 * day) / day)
    scores = judged(2000 * wave + RNG(2).normal(0, 40, 8 * day), 7 * day)
    ratio = scores["expected"].to_numpy() / (2000 * wave[7 * day :])
    assert len(ratio) == day
    assert np.abs(ratio[: day // 2] - 1).max() < 0.1
    assert scores["severity"].max() < 70


def test_a_shift_within_the_range_of_a_wave_is_found_at_once() -> None:
    wave = 100 * np.cos(2 * np.pi * np.arange(2000) / 50) + RNG(1).normal(0, 1.5, 2000)
    wave[1500] = -wave[1500]  # a value that the wave has every 25 intervals
    scores = judged(wave, 600)
    told = scores[scores["severity"] >= 70]
    assert told["interval_start"].tolist() == [TIMES[1500]]
    away = (scores["expected"] - wave[600:])[:800]
    assert away.std() < 2.5  # of an amplitude of 100


@pytest.mark.parametrize("aggregation", ["AVG", "SUM"])
def test_a_level_that_stays_is_told_once(aggregation: str) -> None:
    counts = RNG(2).poisson(200, 2000).astype(float)
    counts[1200:] += 120
    scores = judged(counts, 1000, aggregation)
    told = np.flatnonzero(scores["severity"] >= 70)
    assert told[0] in range(200, 205)
    assert len(told) <= 3
    assert scores["expected"].iloc[190] == pytest.approx(200, rel=0.1)
    end = scores.iloc[-200:]
    if aggregation == "AVG":  # learned within hours; a calm count waits for the next learning
        assert end["expected"].mean() == pytest.approx(320, rel=0.1)
        assert "continues" not in set(end["reason"])


def test_a_spike_leaves_no_echo() -> None:
    values = RNG(3).normal(50, 2, 1500)
    values[1200] = 500
    scores = judged(values, 1000)
    assert (scores["severity"] >= 70).to_numpy().nonzero()[0].tolist() == [200]
    after = scores["expected"].iloc[201:230]
    assert after.between(45, 55).all()


def test_what_goes_on_is_told_once_until_it_is_worse_or_over() -> None:
    rare = np.zeros((2, 1, 12))
    rare[0, 0] = [0, 5, 5, 6, 9, 9, 0, 5, 0, 0, 0, 5]
    rare[1, 0, 3] = 5  # the other direction is another matter
    sharp = np.zeros(rare.shape, dtype=np.bool_)
    continues, _ = told_before(rare, sharp, 4.0, 3, 9, nothing_told(1))
    assert np.flatnonzero(continues[0, 0]).tolist() == [2, 3, 5, 7]
    assert not continues[1].any()
    told = nothing_told(1)
    cut = []
    for start, end in ((0, 2), (2, 5), (5, 12)):
        part, told = told_before(
            rare[:, :, start:end].copy(), sharp[:, :, start:end].copy(), 4.0, 3, 9, told
        )
        cut.append(part)
    assert (np.concatenate(cut, axis=2) == continues).all()


def test_the_longest_mean_alone_is_an_echo_while_it_remembers() -> None:
    rare = np.zeros((2, 1, 30))
    rare[0, 0, [0, 5, 20]] = 9.0
    for echo, expected in ((True, [False, True, False]), (False, [False, False, False])):
        flags = np.full(rare.shape, echo)
        continues, _ = told_before(rare, flags, 4.0, 3, 9, nothing_told(1))
        assert continues[0, 0, [0, 5, 20]].tolist() == expected


def test_habit_dulls_what_is_often_rare_and_forgives_two_attacks() -> None:
    rare = -np.log10(RNG(4).random((1, 3, 5000)))
    rare[0, 1, ::100] = 8.0
    rare[0, 2, [100, 2000]] = 200.0
    habit = fit_habit(rare, sharpen=False)
    worth = habit.worth(np.full((1, 3, 1), 8.0))[0, :, 0]
    assert worth[1] < 4
    assert min(worth[0], worth[2]) > 7
    assert worth[0] <= 8
    claimed = habit.claimed(3.0)
    np.testing.assert_allclose(habit.worth(claimed.T[:, :, None])[0, :, 0], 3.0)
    both = fit_habit(rare, sharpen=True)
    worth = both.worth(np.full((1, 3, 1), 8.0))[0, :, 0]
    assert worth[1] == pytest.approx(np.log10(200))  # it came in more than 1 of 200 intervals
    assert min(worth[0], worth[2]) > 5
    for level in (0.3, 1.5, 3.0, 12.0):
        claimed = both.claimed(level)
        np.testing.assert_allclose(both.worth(claimed.T[:, :, None])[0, :, 0], level)
    calm = fit_habit(np.minimum(rare[:, :1], FROM - 0.5), sharpen=True)
    assert calm.worth(np.array([[[4.0]]]))[0, 0, 0] > 4


def test_a_smoothed_mean_has_the_variance_of_a_mean() -> None:
    means, last = smooth(RNG(5).normal(3, 1, (400, 600)), 12, np.full(400, 3.0))
    assert means[:, 100:].var() == pytest.approx(1 / 12, rel=0.1)
    assert last.tolist() == means[:, -1].tolist()


def test_false_alarms_on_noise_keep_to_the_budget() -> None:
    """A week of 5-minute noise of several kinds, one series each: one false point a week is due."""
    rng = RNG(6)
    weeks, kinds = 0, ("normal", "laplace", "t5", "poisson", "autoregressive")
    found = 0
    for kind in kinds:
        for _ in range(3):
            noise = {
                "normal": rng.normal(0, 1, 3000),
                "laplace": rng.laplace(0, 1, 3000),
                "t5": rng.standard_t(5, 3000),
                "poisson": rng.poisson(30, 3000).astype(float),
                "autoregressive": np.convolve(
                    rng.normal(0, 1, 3099), 0.9 ** np.arange(100), "valid"
                ),
            }[kind]
            scores = judged(noise if kind == "poisson" else 100 + noise, 1500)
            found += int(scores["incidents"].iloc[0])
            weeks += 1500 / 2016
    assert found <= stats.poisson.ppf(1 - 1e-3, weeks)
