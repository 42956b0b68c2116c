"""Properties of learning and scoring on small generated histories."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from files_of import files_of
from hypothesis import given, settings
from hypothesis import strategies as st
from upath import UPath

from bartizan.detect.group import find_groups
from bartizan.detect.learn import DetectorState, learn
from bartizan.detect.score import context_start, score
from bartizan.detect.state import VERSION
from bartizan.errors import ConfigError, UsageError
from bartizan.model.anomaly import Direction
from bartizan.model.connector import Aggregation, Connector, Measure, Missing
from bartizan.model.window import Window

MINUTES = timedelta(minutes=5)
CONNECTOR = Connector(
    "blocked", "", MINUTES, timedelta(), "timestamp", ("webacl", "rule"), (Measure("count"),), ""
)
START = datetime(2026, 11, 2, tzinfo=UTC)
LEARNED = Window(START, START + timedelta(days=4))
DAY = Window(LEARNED.end, LEARNED.end + timedelta(days=1))
PER_DAY = 288
SERIES = {
    ("shop", "sqli"): 8.0,
    ("shop", "xss"): 0.05,
    ("app", "sqli"): 2.0,
    ("app", "bot"): 25.0,
}


def rows(series: dict[tuple[str, str], np.ndarray], start: datetime = START) -> pd.DataFrame:
    """Rows of the positive counts of each series, from `start` on."""
    first = np.datetime64(start.replace(tzinfo=None), "us")
    parts = [
        pd.DataFrame(
            {
                "interval_start": first + np.flatnonzero(counts) * np.timedelta64(MINUTES, "us"),
                "webacl": webacl,
                "rule": rule,
                "count": counts[counts > 0].astype(float),
            }
        )
        for (webacl, rule), counts in series.items()
    ]
    return pd.concat(parts, ignore_index=True)


def history(days: int = 4, seed: int = 7) -> dict[tuple[str, str], np.ndarray]:
    rng = np.random.default_rng(seed)
    hour = np.arange(days * PER_DAY) / 12
    daily = 1 + 0.5 * np.sin(2 * np.pi * hour / 24)
    return {key: rng.negative_binomial(5, 5 / (5 + level * daily)) for key, level in SERIES.items()}


@pytest.fixture(scope="module")
def state() -> DetectorState:
    return learn(rows(history()), CONNECTOR, LEARNED)


def live(changes: dict[tuple[str, str], dict[int, int]] | None = None) -> pd.DataFrame:
    """The day after the history; `changes` sets counts by series and interval number."""
    counts = history(1, seed=8)
    for key, at in (changes or {}).items():
        counts.setdefault(key, np.zeros(PER_DAY, dtype=int))
        counts[key][list(at)] = list(at.values())
    return rows(counts, DAY.start)


def at(scores: pd.DataFrame, rule: str, interval: int) -> pd.Series:
    time = (DAY.start + interval * MINUTES).replace(tzinfo=None)
    found = scores[(scores["rule"] == rule) & (scores["interval_start"] == time)]
    assert len(found) == 1
    return found.iloc[0]


def test_every_known_series_is_scored_in_every_covered_interval(state: DetectorState) -> None:
    scores = score(state, live(), CONNECTOR, DAY)
    assert len(scores) == len(SERIES) * PER_DAY
    assert scores["severity"].between(0, 70, inclusive="left").all()
    assert (scores["lower"] <= scores["expected"]).all()
    assert (scores["expected"] <= scores["upper"]).all()
    busy = scores[scores["rule"] == "bot"]
    assert busy["expected"].mean() == pytest.approx(25, rel=0.1)
    assert busy["expected"].iloc[60:84].mean() > 1.5 * busy["expected"].iloc[204:228].mean()
    inside = scores["value"].between(scores["lower"], scores["upper"])
    assert inside.mean() > 0.99


def test_a_burst_a_slow_attack_and_a_silence_become_incidents(state: DetectorState) -> None:
    changes = {
        ("shop", "xss"): {40: 150} | dict.fromkeys(range(100, 124), 8),
        ("app", "bot"): dict.fromkeys(range(60, 84), 0) | {84: 40, 85: 40},
    }
    scores = score(state, live(changes), CONNECTOR, DAY)
    groups = find_groups(scores, CONNECTOR, 70)
    spans = [
        (g.direction, g.window.start, (g.window.end - g.window.start) / MINUTES) for g in groups
    ]
    assert spans == [
        (Direction.ABOVE, DAY.start + 40 * MINUTES, 1),
        (Direction.BELOW, DAY.start + 60 * MINUTES, 24),
        (Direction.ABOVE, DAY.start + 100 * MINUTES, 24),
    ]
    assert groups[0].value == 150
    assert groups[2].value == 24 * 8


def test_small_change_of_a_sparse_series_never_alarms(state: DetectorState) -> None:
    scores = score(state, live({("shop", "xss"): {50: 2, 51: 2, 52: 2}}), CONNECTOR, DAY)
    assert scores.loc[scores["rule"] == "xss", "severity"].max() == 0


def test_an_attack_has_no_echo(state: DetectorState) -> None:
    """Eight intervals after it a few requests are no news, though the longest mean remembers it."""
    attack = dict.fromkeys(range(100, 111), 60)
    quiet = dict.fromkeys(range(111, 288), 0)
    scores = score(
        state, live({("shop", "xss"): quiet | attack | {119: 3, 125: 2}}), CONNECTOR, DAY
    )
    assert at(scores, "xss", 110)["reason"] == "continues"
    for interval in (119, 125):
        assert at(scores, "xss", interval)["reason"] in ("continues", "normal")
    assert len(find_groups(scores, CONNECTOR, 70)) == 1


def test_weak_change_is_found_when_it_persists(state: DetectorState) -> None:
    """Under three times the busy rule's count: no first interval tells, several together do."""
    expected = score(state, live(), CONNECTOR, DAY)
    expected = expected[expected["rule"] == "bot"]["expected"].to_numpy()
    raised = {i: round(2.6 * expected[i]) for i in range(200, 212)}
    raised[212] = round(expected[212])
    scores = score(state, live({("app", "bot"): raised}), CONNECTOR, DAY)
    assert at(scores, "bot", 200)["severity"] < 70
    told = scores[(scores["rule"] == "bot") & (scores["severity"] >= 70)]
    assert {"rise", "sustained_rise", "together"} >= set(told["reason"]) != set()
    assert at(scores, "bot", 211)["reason"] == "continues"
    assert at(scores, "bot", 212)["severity"] < 70


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=5)
def test_order_of_rows_changes_nothing(seed: int) -> None:
    frame = rows(history())
    frame = pd.concat([frame, frame.sample(50, random_state=seed).assign(count=0.1)])
    shuffled = frame.sample(frac=1, random_state=seed)
    one, other = (learn(part, CONNECTOR, LEARNED) for part in (frame, shuffled))
    day = live()
    pd.testing.assert_frame_equal(
        score(one, day, CONNECTOR, DAY),
        score(other, day.sample(frac=1, random_state=seed), CONNECTOR, DAY),
        check_exact=True,
    )


@given(st.lists(st.integers(1, PER_DAY - 1), max_size=6, unique=True))
@settings(max_examples=10)
def test_cutting_the_day_changes_nothing(state: DetectorState, cuts: list[int]) -> None:
    """With the context of each window, its scores are those of the whole day."""
    changes = {("shop", "xss"): dict.fromkeys(range(90, 120), 5), ("new", "rule"): {70: 90, 72: 1}}
    frame = live(changes)
    edges = [DAY.start + cut * MINUTES for cut in (0, *sorted(cuts), PER_DAY)]
    parts = []
    for start, end in itertools.pairwise(edges):
        naive = frame["interval_start"].dt.tz_localize("UTC")
        inside = frame[(naive >= start) & (naive < end)]
        before = frame[(naive >= context_start(state, CONNECTOR)) & (naive < start)]
        parts.append(score(state, inside, CONNECTOR, Window(start, end), before))
    # Only the cut at midnight lacks context, in both.
    whole = score(state, frame, CONNECTOR, DAY)
    pd.testing.assert_frame_equal(pd.concat(parts, ignore_index=True), whole, check_exact=True)


@given(st.integers(0, 1000), st.integers(1, 400))
@settings(max_examples=20)
def test_constant_series_never_alarm(level: int, intervals: int) -> None:
    series = {("shop", "xss"): np.full(4 * PER_DAY, level), ("app", "bot"): np.ones(4 * PER_DAY)}
    learned = learn(rows(series), CONNECTOR, LEARNED)
    end = DAY.start + min(intervals, PER_DAY) * MINUTES
    frame = rows({key: counts[:PER_DAY] for key, counts in series.items()}, DAY.start)
    scores = score(learned, frame, CONNECTOR, Window(DAY.start, end))
    assert len(scores) == (2 if level else 1) * min(intervals, PER_DAY)
    assert (scores["severity"] < 1).all()


def test_larger_deviation_is_never_less_severe(state: DetectorState) -> None:
    severities = []
    for value in (1, 4, 6, 9, 15, 40, 150, 10_000):
        scores = score(state, live({("shop", "xss"): {40: value}}), CONNECTOR, DAY)
        severities.append(at(scores, "xss", 40)["severity"])
    assert severities == sorted(severities)
    assert severities[0] == 0
    assert 99 < severities[-1] <= 100


def test_series_with_a_habit_needs_more() -> None:
    calm = history(15)
    spiky = {key: counts.copy() for key, counts in calm.items()}
    spiky["app", "sqli"][np.arange(15) * (PER_DAY + 7) % (15 * PER_DAY)] = 30
    rare = {key: counts.copy() for key, counts in calm.items()}
    rare["app", "sqli"][np.arange(2) * PER_DAY + 100] = 30
    window = Window(START - timedelta(days=11), LEARNED.end)
    severity = {}
    for name, series in (("calm", calm), ("spiky", spiky), ("rare", rare)):
        learned = learn(rows(series, window.start), CONNECTOR, window)
        scores = score(learned, live({("app", "sqli"): {40: 30}}), CONNECTOR, DAY)
        scores = scores[scores["webacl"] == "app"]
        severity[name] = at(scores, "sqli", 40)["severity"]
    assert severity["calm"] >= 70
    assert severity["spiky"] < 70  # every day has one of these, at any hour
    assert severity["rare"] >= 70  # two bad days are attacks, not a habit


def test_first_seen_series_is_new_or_not_ready_but_not_normal(state: DetectorState) -> None:
    scores = score(state, live({("shop", "rce"): {10: 2, 20: 150}}), CONNECTOR, DAY)
    small, large = at(scores, "rce", 10), at(scores, "rce", 20)
    assert small["reason"] == "not_ready"
    assert np.isnan(small["severity"])
    assert large["reason"] == "new_entity"
    assert large["severity"] >= 70
    assert large["direction"] == "above"
    assert (scores["rule"] == "rce").sum() == 2


def test_too_little_history_is_not_ready() -> None:
    window = Window(START, START + 299 * MINUTES)
    counts = {key: values[:299] for key, values in history().items()}
    learned = learn(rows(counts), CONNECTOR, window)
    assert not learned.ready
    assert set(learned.series["status"]) == {"LEARNING"}
    scores = score(learned, live({("shop", "rce"): {10: 500}}), CONNECTOR, DAY)
    assert scores["severity"].isna().all()
    assert set(scores["reason"]) == {"not_ready"}
    longer = Window(START, START + 300 * MINUTES)
    enough = learn(rows({k: v[:300] for k, v in history().items()}), CONNECTOR, longer)
    assert enough.ready


def test_one_point_of_history_can_be_learned() -> None:
    learned = learn(rows({("shop", "xss"): np.array([3])}), CONNECTOR, LEARNED)
    assert learned.points == 1
    assert learned.series["level"].tolist() == [3.0]
    assert score(learned, live(), CONNECTOR, DAY)["severity"].isna().all()


def test_uncovered_interval_is_a_gap_not_a_silence(state: DetectorState) -> None:
    frame = live()
    missing = frame["interval_start"].dt.hour == 6
    scores = score(state, frame[~missing], CONNECTOR, DAY)
    assert len(scores) == len(SERIES) * (PER_DAY - 12)
    assert scores["severity"].max() < 70
    starts = pd.date_range(DAY.start.replace(tzinfo=None), periods=PER_DAY, freq=MINUTES)
    silent = score(state, frame[~missing], CONNECTOR, DAY, covered=pd.DatetimeIndex(starts))
    assert len(silent) == len(SERIES) * PER_DAY
    told = silent[(silent["severity"] >= 70) | (silent["reason"] == "continues")]
    assert set(told["direction"]) == {"below"}
    assert len(told) >= 12


def test_duplicate_rows_are_aggregated(state: DetectorState) -> None:
    day = live()
    halves = pd.concat([day.assign(count=day["count"] / 4)] * 4)
    pd.testing.assert_frame_equal(
        score(state, halves, CONNECTOR, DAY), score(state, day, CONNECTOR, DAY)
    )
    # The mean of a gauge does not change when each row comes twice.
    gauge = replace(CONNECTOR, measures=(Measure("count", Aggregation.AVG, Missing.GAP),))
    learned = learn(rows(history()), gauge, LEARNED)
    pd.testing.assert_frame_equal(
        score(learned, pd.concat([day, day]), gauge, DAY), score(learned, day, gauge, DAY)
    )


@given(st.floats(-1e4, 1e4), st.sampled_from([0.01, 1.0, 1000.0]))
@settings(max_examples=10)
def test_gauges_do_not_depend_on_unit_or_origin(shift: float, scale: float) -> None:
    gauge = replace(CONNECTOR, measures=(Measure("count", Aggregation.AVG, Missing.GAP),))
    rng = np.random.default_rng(3)
    times = pd.date_range(START.replace(tzinfo=None), periods=5 * PER_DAY, freq=MINUTES)
    noise = rng.normal(0, 1, len(times))
    noise[-10:] += 12
    key = {"webacl": "a", "rule": "latency"}

    def severities(values: np.ndarray) -> np.ndarray:
        frame = pd.DataFrame({"interval_start": times, **key, "count": values})
        return score(learn(frame, gauge, LEARNED), frame, gauge, DAY)["severity"].to_numpy()

    plain, moved = severities(noise), severities((noise + shift) * scale)
    # The floor of one per mille of the level makes a far origin a little more tolerant.
    assert plain[-10] >= 70
    assert (plain[-9:] > 69).all()  # it goes on
    assert (plain[:-10] < 69).all()
    if abs(shift) < 100:
        np.testing.assert_allclose(moved, plain, rtol=1e-6, atol=1e-6)
    assert (moved[:-10] < 69).all()


@pytest.mark.parametrize("bad", [np.inf, -np.inf])
def test_values_that_are_no_numbers_are_refused(state: DetectorState, bad: float) -> None:
    frame = live()
    frame.loc[3, "count"] = bad
    with pytest.raises(UsageError, match=r"1 of \d+ values are infinite"):
        score(state, frame, CONNECTOR, DAY)


def test_frames_that_do_not_fit_are_refused(state: DetectorState) -> None:
    with pytest.raises(ConfigError, match="'rule' is missing"):
        learn(rows(history()).drop(columns="rule"), CONNECTOR, LEARNED)
    with pytest.raises(UsageError, match="not the start of an interval"):
        score(state, live().assign(interval_start=pd.Timestamp("2026-11-06 00:01")), CONNECTOR, DAY)
    with pytest.raises(UsageError, match="no rows"):
        learn(live(), CONNECTOR, Window(START, START + MINUTES))
    with pytest.raises(ConfigError, match="column of the scores"):
        learn(rows(history()), replace(CONNECTOR, dimensions=("value",)), LEARNED)


def test_state_survives_the_disk_with_equal_bytes(state: DetectorState, tmp_path: object) -> None:
    paths = [UPath(str(tmp_path)) / name for name in ("one", "two", "three")]
    state.save(paths[0])
    loaded = DetectorState.load(paths[0])
    loaded.save(paths[1])
    first, again = (files_of(Path(path.path)) for path in paths[:2])
    assert list(first) == [
        *("0_counted.parquet", "populations.parquet", "series.parquet"),
        *(f"total_0/{one}.parquet" for one in ("0_counted", "populations", "series")),
    ]
    assert first == again
    frame = live({("shop", "xss"): {40: 150}})
    pd.testing.assert_frame_equal(
        score(loaded, frame, CONNECTOR, DAY), score(state, frame, CONNECTOR, DAY), check_exact=True
    )
    replace(state, version=99).save(paths[2])
    with pytest.raises(ConfigError, match=f"99 is not {VERSION} — learn again"):
        DetectorState.load(paths[2])
    with pytest.raises(ConfigError, match="learn again"):
        score(state, frame, replace(CONNECTOR, dimensions=("webacl",)), DAY)


def test_connector_without_dimensions_is_one_series() -> None:
    total = replace(CONNECTOR, dimensions=())
    frame = rows(history()).drop(columns=["webacl", "rule"])
    learned = learn(frame, total, LEARNED)
    day = live({("app", "bot"): {40: 900}}).drop(columns=["webacl", "rule"])
    scores = score(learned, day, total, DAY)
    assert len(scores) == PER_DAY
    assert [g.window.start for g in find_groups(scores, total, 70)] == [DAY.start + 40 * MINUTES]
