"""Live = replay: scores do not depend on what was remembered of the hours before, in any order."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from upath import UPath

from bartizan.config import store_in
from bartizan.detect.metrics import MetricFrame
from bartizan.detect.reading import read_metrics
from bartizan.detect.run import detect
from bartizan.detect.scores import load_scores
from bartizan.model.connector import Aggregation, Connector, Measure, Missing
from bartizan.model.window import DAY, HOUR, Window, naive
from bartizan.store import Store

START = datetime(2026, 11, 2, tzinfo=UTC)
TODAY = START + 14 * DAY
MEASURES = (
    Measure("count"),
    Measure("delay", Aggregation.AVG, Missing.CARRY, carry_for=2 * HOUR),
)
CONNECTOR = Connector("shop", "", HOUR, timedelta(), "timestamp", ("webacl",), MEASURES, "")
HEADER = "timestamp,webacl,count,delay\n"
HOURS = 8


class House:
    """Two lakes over the same metrics: one remembers, the other forgets before each window."""

    def __init__(self, folder: Path) -> None:
        self.metrics = folder / "metrics"
        self.lakes = (folder / "one", folder / "other")
        for lake in self.lakes:
            lake.mkdir(parents=True, exist_ok=True)
        self.stores = [Store.open(store_in(lake)) for lake in self.lakes]

    def close(self) -> None:
        for store in self.stores:
            store.engine.dispose()

    def score(self, first: int, end: int) -> tuple[pd.DataFrame, pd.DataFrame]:
        window = Window(TODAY + first * HOUR, TODAY + end * HOUR)
        for memory in memories(self.lakes[1]):
            memory.unlink()
        for store, lake in zip(self.stores, self.lakes, strict=True):
            detect(store, lake, UPath(self.metrics), CONNECTOR, [window])
        one, other = (load_scores(lake, CONNECTOR, window) for lake in self.lakes)
        return one, other

    def write(self, hour: int, seed: int) -> None:
        """The live file of an hour, or none for seed 0."""
        start = TODAY + hour * HOUR
        path = self.metrics / "shop" / "live" / f"{start:%Y%m%d}" / f"{start:%H%M}" / "part.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        if seed:
            path.write_text(HEADER + rows(Window(start, start + HOUR), seed))


def memories(lake: Path) -> list[Path]:
    return sorted(lake.glob("detectors/shop/state_*/after_*"))


def rows(window: Window, seed: int) -> str:
    """Counts of two series, the delay of one of them in two hours of three; a burst for seed 3."""
    rng = np.random.default_rng([seed, window.start.toordinal(), window.start.hour])
    lines = []
    for part in window.split(HOUR):
        for webacl, level in (("app", 2.0), ("shop", 60.0), ("new", 0.02)):
            count = rng.poisson(level * (20 if seed == 3 else 1))
            delay = f"{rng.normal(20, 2):.3f}" if webacl == "shop" and rng.random() < 0.66 else ""
            if count:
                lines.append(f"{naive(part.start)},{webacl},{count},{delay}\n")
    return "".join(lines)


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The house as it is after midnight."""
    folder = tmp_path_factory.mktemp("house")
    house = House(folder)
    history = folder / "metrics" / "shop" / "backtest" / "part.csv"
    history.parent.mkdir(parents=True)
    history.write_text(HEADER + rows(Window(START, TODAY), 1))
    for hour in range(HOURS):
        house.write(hour, 1)
    one, other = house.score(0, 1)
    assert len(one) == len(other) >= 4
    house.close()
    return folder


SPANS = st.tuples(st.integers(0, HOURS - 1), st.integers(1, 3)).map(
    lambda span: ("score", span[0], min(span[0] + span[1], HOURS))
)
WRITTEN = st.tuples(st.just("write"), st.integers(0, HOURS - 1), st.sampled_from([0, 1, 2, 3]))


@given(st.lists(SPANS | WRITTEN, min_size=4, max_size=9))
@settings(max_examples=8)
def test_what_is_remembered_changes_no_score(
    learned: Path, steps: list[tuple[str, int, int]]
) -> None:
    with TemporaryDirectory() as folder:
        shutil.copytree(learned, folder, dirs_exist_ok=True)
        house = House(Path(folder))
        for step, first, second in [*steps, ("score", 0, 3), ("score", 3, HOURS)]:
            if step == "write":
                house.write(first, second)
                continue
            one, other = house.score(first, second)
            pd.testing.assert_frame_equal(one, other, check_exact=True)
            assert len(memories(house.lakes[0])) <= 1
        house.close()


def test_an_hour_reads_nothing_of_the_day_and_begins_with_what_is_remembered(
    learned: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(learned, tmp_path, dirs_exist_ok=True)
    house = House(tmp_path)
    for hour in range(1, 6):
        house.score(hour, hour + 1)
    (memory,) = memories(house.lakes[0])
    early, read = memory.read_bytes(), []

    def noted(folder: UPath, connector: Connector, window: Window) -> MetricFrame:
        read.append((window.end - window.start) / HOUR)
        return read_metrics(folder, connector, window)

    monkeypatch.setattr("bartizan.detect.run.read_metrics", noted)
    house.score(6, 7)
    # Two hours are added up for newcomers, and values are carried for two; without a memory, six.
    assert read == [4, 6 + 2]
    (memory,) = memories(house.lakes[0])
    same, other = house.score(7, 8)
    pd.testing.assert_frame_equal(same, other)
    house.score(6, 7)
    (memory,) = memories(house.lakes[0])
    memory.write_bytes(early)  # of an hour before, under the name of this one
    wrong, other = house.score(7, 8)
    assert (wrong["expected"] != other["expected"]).any()
    house.close()


def test_where_live_metrics_lack_nothing_is_remembered(learned: Path, tmp_path: Path) -> None:
    shutil.copytree(learned, tmp_path, dirs_exist_ok=True)
    house = House(tmp_path)
    house.write(2, 0)
    house.score(1, 2)
    before = memories(house.lakes[0])
    house.score(2, 4)  # the hour that lacks may be backfilled yet
    assert memories(house.lakes[0]) == before != []
    history = house.metrics / "shop" / "backtest" / "late.csv"
    hour = Window(TODAY + 2 * HOUR, TODAY + 3 * HOUR)
    history.write_text(HEADER + rows(hour, 3))
    one, other = house.score(4, 5)
    pd.testing.assert_frame_equal(one, other, check_exact=True)
    (after,) = memories(house.lakes[0])
    assert [after] != before
    house.close()


def test_a_memory_that_cannot_be_read_is_none(learned: Path, tmp_path: Path) -> None:
    shutil.copytree(learned, tmp_path, dirs_exist_ok=True)
    house = House(tmp_path)
    house.score(1, 2)
    (memory,) = memories(house.lakes[0])
    memory.write_bytes(memory.read_bytes()[:20])
    one, other = house.score(2, 3)
    pd.testing.assert_frame_equal(one, other, check_exact=True)
    house.close()


def test_another_connector_remembers_nothing_of_it(learned: Path, tmp_path: Path) -> None:
    shutil.copytree(learned, tmp_path, dirs_exist_ok=True)
    house = House(tmp_path)
    house.score(1, 2)
    other = replace(CONNECTOR, measures=(MEASURES[0], replace(MEASURES[1], carry_for=3 * HOUR)))
    (before,) = memories(house.lakes[0])
    window = Window(TODAY + 2 * HOUR, TODAY + 3 * HOUR)
    detect(house.stores[0], house.lakes[0], UPath(house.metrics), other, [window])
    (after,) = memories(house.lakes[0])
    assert after.name != before.name
    house.close()
