"""Series are gone through in shards: neither threads, nor the other shards, nor order matter."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from files_of import files_of
from upath import UPath

from bartizan.detect.learn import learn
from bartizan.detect.score import follow, score
from bartizan.detect.scores import load_anomalous, load_scores, save_scores
from bartizan.detect.shards import each_shard, shard_size
from bartizan.detect.state import DetectorState
from bartizan.model.connector import Aggregation, Connector, Measure, Missing
from bartizan.model.window import DAY, HOUR, Window, naive
from bartizan.store.scores import measure_scores, score_files

START = datetime(2026, 11, 2, tzinfo=UTC)
LEARNED = Window(START, START + 14 * DAY)
TODAY = Window(LEARNED.end, LEARNED.end + DAY)
MEASURES = (Measure("count"), Measure("delay", Aggregation.AVG, Missing.GAP))
CONNECTOR = Connector("n", "", HOUR, timedelta(), "t", ("webacl", "rule"), MEASURES, "")
# The package has functions of the same names.
learning, scoring = (import_module(f"bartizan.detect.{name}") for name in ("learn", "judge_rows"))
SHARD = 6
SHARDS = 4


@pytest.fixture(autouse=True)
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learning, "shard_size", lambda intervals: SHARD)


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    """Fifteen days of SHARDS web ACLs of SHARD rules each, from a row a day to one each hour, with
    bursts on the last day. All series are there from the first hour on: none ever appears."""
    rng = np.random.default_rng(4)
    hours = 15 * 24
    level = np.exp(rng.uniform(np.log(0.05), np.log(80), SHARDS * SHARD))
    counts = rng.poisson(level[:, None] * rng.gamma(6, 1 / 6, (SHARDS * SHARD, hours)))
    counts[:, 0] = np.maximum(counts[:, 0], 1)
    counts[::5, -10:-7] += 400
    series, hour = np.nonzero(counts)
    return pd.DataFrame(
        {
            "interval_start": np.datetime64(naive(START), "us") + hour * np.timedelta64(1, "h"),
            "webacl": [f"acl-{one}" for one in series // SHARD],
            "rule": [f"rule-{one}" for one in series % SHARD],
            "count": counts[series, hour].astype(float),
            "delay": 20 + rng.normal(0, 1, len(hour)) + (hour % 24),
        }
    )


@pytest.fixture
def state(rows: pd.DataFrame) -> DetectorState:
    return learn(rows, CONNECTOR, LEARNED)


def one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (learning, scoring):
        monkeypatch.setattr(
            module, "each_shard", lambda work, shards: [work(one) for one in range(shards)]
        )


def threads(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda process: set(range(number)))


@pytest.mark.parametrize("number", [1, 3, 8])
def test_number_of_threads_does_not_matter(
    number: int, rows: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads(monkeypatch, number)
    state = learn(rows, CONNECTOR, LEARNED)
    many, after = follow(state, rows, CONNECTOR, TODAY)
    one_thread(monkeypatch)
    alone = learn(rows, CONNECTOR, LEARNED)
    one, after_one = follow(alone, rows, CONNECTOR, TODAY)
    assert len(many) == 24 * SHARDS * SHARD * len(MEASURES)
    assert (many["severity"] >= 70).sum() >= SHARDS
    pd.testing.assert_frame_equal(many, one, check_exact=True)
    for name, found in (("many", after), ("one", after_one)):
        found.save(UPath(tmp_path / name))
    files = files_of(tmp_path / "many")
    assert list(files) == [
        *("0_counted.parquet", "1_gauged.parquet", "jointly.parquet"),
        *("mix/0_counted.parquet", "populations.parquet", "series.parquet"),
        *(f"total_0/{one}.parquet" for one in ("0_counted", "populations", "series")),
        *(f"total_1/{one}.parquet" for one in ("0_counted", "populations", "series")),
    ]
    assert files == files_of(tmp_path / "one")


def by_themselves(state: DetectorState) -> DetectorState:
    measures = {name: replace(one, mix=None) for name, one in state.measures.items()}
    return replace(state, totals=(), measures=measures)


@pytest.mark.parametrize("shard", range(SHARDS))
def test_a_shard_is_scored_as_its_series_would_be_alone(
    shard: int, rows: pd.DataFrame, state: DetectorState, monkeypatch: pytest.MonkeyPatch
) -> None:
    """But for the budget, which is for all series, how series appear, for which there is none here,
    the totals, and the mixes, which learn from each other."""
    mine = rows[rows["webacl"] == f"acl-{shard}"]
    whole = score(by_themselves(state), rows, CONNECTOR, TODAY)
    for module in (learning, scoring):
        original = module.budget
        monkeypatch.setattr(
            module, "budget", lambda _, step, same=original: same(state.tests, step)
        )
    alone = by_themselves(learn(mine, CONNECTOR, LEARNED))
    for learned in (alone, state):
        population = learned.measures["count"].population
        assert population is not None
        assert [kind.newcomers.largest for kind in population.kinds] == [None, None]
    found = score(alone, mine, CONNECTOR, TODAY)
    expected = whole[whole["webacl"] == f"acl-{shard}"].reset_index(drop=True)
    assert len(found) == 24 * SHARD * len(MEASURES)
    pd.testing.assert_frame_equal(found, expected, check_exact=True)


def test_budget_of_other_series_does_matter(rows: pd.DataFrame, state: DetectorState) -> None:
    mine = rows[rows["webacl"] == "acl-0"]
    alone = score(learn(mine, CONNECTOR, LEARNED), mine, CONNECTOR, TODAY)
    whole = score(state, rows, CONNECTOR, TODAY)
    whole = whole[whole["webacl"] == "acl-0"].reset_index(drop=True)
    assert (alone["severity"] > whole["severity"]).any()
    pd.testing.assert_series_equal(alone["expected"], whole["expected"], check_exact=True)


def test_order_of_rows_and_of_columns_does_not_matter(
    rows: pd.DataFrame, state: DetectorState
) -> None:
    shuffled = rows.sample(frac=1, random_state=2)
    other = learn(shuffled[rows.columns[::-1]], CONNECTOR, LEARNED)
    assert other.keys.equals(state.keys)
    pd.testing.assert_frame_equal(
        score(other, shuffled, CONNECTOR, TODAY),
        score(state, rows, CONNECTOR, TODAY),
        check_exact=True,
    )


def test_models_of_both_kinds_of_one_measure_come_back_in_order(
    rows: pd.DataFrame, tmp_path: Path
) -> None:
    """A shard with a negative value is no longer one of counts; the others are."""
    below = rows.copy()
    below.loc[below["webacl"] == "acl-1", "count"] -= 30
    learned = learn(below, CONNECTOR, LEARNED)
    folder = UPath(tmp_path / "state")
    learned.save(folder)
    own = sorted(path.name for path in (tmp_path / "state").glob("?_*.parquet"))
    assert own == ["0_counted.parquet", "0_gauged.parquet", "1_gauged.parquet"]
    loaded = DetectorState.load(folder)
    firsts = [int(part.rows[0]) for part in loaded.measures["count"].parts]
    assert firsts == [SHARD * shard for shard in range(SHARDS)]
    assert learned.series.equals(loaded.series)
    pd.testing.assert_frame_equal(
        score(loaded, below, CONNECTOR, TODAY), score(learned, below, CONNECTOR, TODAY),
        check_exact=True,
    )  # fmt: skip


def test_a_state_on_disk_goes_on_where_it_was(
    rows: pd.DataFrame, state: DetectorState, tmp_path: Path
) -> None:
    morning, rest = (
        Window(TODAY.start, TODAY.start + 7 * HOUR),
        Window(TODAY.start + 7 * HOUR, TODAY.end),
    )
    _, after = follow(state, rows, CONNECTOR, morning)
    after.save(UPath(tmp_path / "state"))
    loaded = DetectorState.load(UPath(tmp_path / "state"))
    assert loaded.seen == rest.start
    whole = score(state, rows, CONNECTOR, TODAY)
    pd.testing.assert_frame_equal(
        score(loaded, rows, CONNECTOR, rest),
        whole[whole["interval_start"] >= naive(rest.start)].reset_index(drop=True),
        check_exact=True,
    )


def test_shards_fit_in_memory_and_their_results_come_in_order() -> None:
    assert [shard_size(intervals) for intervals in (1, 840, 10_080, 10**6)] == [
        4096,
        4096,
        416,
        256,
    ]
    assert each_shard(lambda shard: shard**2, 5) == [0, 1, 4, 9, 16]
    with pytest.raises(ZeroDivisionError):
        each_shard(lambda shard: 1 // (shard - 2), 5)


@pytest.mark.parametrize("most", [1, 100, 10**6])
def test_scores_are_replaced_in_any_order_whatever_files_hold_them(
    most: int, rows: pd.DataFrame, state: DetectorState, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr("bartizan.detect.scores.MOST", most)
    whole = score(state, rows, CONNECTOR, TODAY)
    order = np.random.default_rng(most).permutation(24)
    spans = [(hour, hour + 1) for hour in order] + [(3, 9), (5, 6)]
    for first, end in spans:
        window = Window(TODAY.start + int(first) * HOUR, TODAY.start + int(end) * HOUR)
        inside = (whole["interval_start"] >= naive(window.start)) & (
            whole["interval_start"] < naive(window.end)
        )
        save_scores(tmp_path, CONNECTOR, window, whole[inside].assign(value=7.0))
        save_scores(tmp_path, CONNECTOR, window, whole[inside])
    files = score_files(tmp_path, CONNECTOR, TODAY)
    assert most == 100 or len(files) == (24 - 5 if most == 1 else 1)
    keys = ["interval_start", "measure", "webacl", "rule"]
    stored = load_scores(tmp_path, CONNECTOR, TODAY)
    assert stored["interval_start"].is_monotonic_increasing
    pd.testing.assert_frame_equal(
        stored.sort_values(keys, ignore_index=True), whole.sort_values(keys, ignore_index=True)
    )
    told = load_anomalous(tmp_path, CONNECTOR, TODAY, 70.0)
    assert set(told.index) <= set(range(len(told)))
    assert len(told) == ((whole["severity"] >= 70) | (whole["reason"] == "continues")).sum() > 0
    assert measure_scores(tmp_path, CONNECTOR, "count", TODAY).num_rows == 24 * SHARD * SHARDS
    assert load_scores(tmp_path, replace(CONNECTOR, name="other"), TODAY).empty
