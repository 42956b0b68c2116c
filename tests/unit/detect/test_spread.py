"""A learning that several processes share gives the state of one, wherever it is cut short."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import asdict, replace
from importlib import import_module
from pathlib import Path
from typing import Any

import many_series
import numpy as np
import pyarrow as pa
import pytest
from files_of import files_of
from many_series import LEARNED_END, TODAY
from upath import UPath

from bartizan.config import store_in
from bartizan.detect import fitted_file, spread
from bartizan.detect.judge import Part
from bartizan.detect.kept import state_folder
from bartizan.detect.learning import join, learn_for, learn_planned, plan, planned
from bartizan.detect.parts import save_parts, write
from bartizan.detect.state import DetectorState
from bartizan.errors import ConfigError, UsageError
from bartizan.model.connector import Connector
from bartizan.model.window import DAY, HOUR, Window
from bartizan.store import Store
from bartizan.store.detectors import load_detector, set_active

learning = import_module("bartizan.detect.learn")  # the package has a function of this name
SHARD, SHARDS = 15, 3
ONE = SHARD * many_series.DAYS  # a shard, series x intervals


class House:
    """A lake folder with a store, and metrics that others may read too."""

    def __init__(self, folder: Path, metrics: Path, connector: Connector) -> None:
        self.root, self.metrics, self.connector = folder, UPath(metrics), connector
        folder.mkdir()
        self.store = Store.open(store_in(folder))

    def plan(self, most: int = ONE, again: bool = False) -> list[str]:
        return plan(self.store, self.root, self.metrics, self.connector, [TODAY], most, again)

    def learn(self, *shares: str) -> None:
        for share in shares:
            learn_planned(self.root, self.connector, share)

    def join(self, shares: list[str]) -> None:
        join(self.store, self.root, self.connector, shares)

    def in_one_process(self) -> None:
        learn_for(self.store, self.root, self.metrics, self.connector, LEARNED_END, again=True)

    @property
    def state(self) -> dict[str, bytes]:
        return files_of(Path(state_folder(self.root, self.connector, LEARNED_END)))

    @property
    def folders(self) -> list[str]:
        return sorted(path.name for path in (self.root / "detectors" / many_series.NAME).iterdir())

    @property
    def record(self) -> dict[str, Any]:
        return asdict(load_detector(self.store, many_series.NAME))


@pytest.fixture(scope="module", autouse=True)
def small_shards() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(learning, "shard_size", lambda intervals: SHARD)
        yield


@pytest.fixture(scope="module")
def metrics(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("metrics")
    many_series.write_metrics(folder, SHARDS * SHARD - 4)
    return folder


@pytest.fixture(scope="module")
def connector(tmp_path_factory: pytest.TempPathFactory) -> Connector:
    return many_series.write_connector(tmp_path_factory.mktemp("sql"))


@pytest.fixture(scope="module")
def alone(
    tmp_path_factory: pytest.TempPathFactory, metrics: Path, connector: Connector
) -> Iterator[House]:
    """What one process learned."""
    house = House(tmp_path_factory.mktemp("alone") / "lake", metrics, connector)
    house.in_one_process()
    yield house


@pytest.fixture
def house(tmp_path: Path, metrics: Path, connector: Connector) -> House:
    return House(tmp_path / "lake", metrics, connector)


@pytest.mark.parametrize(("most", "shares"), [(ONE, SHARDS), (2 * ONE, 2)])
def test_shares_of_any_size_in_any_order_are_joined_to_the_state_of_one_process(
    most: int, shares: int, house: House, alone: House
) -> None:
    names = house.plan(most)
    assert len(set(names)) == shares
    assert planned(house.root, house.connector, LEARNED_END) == names
    house.learn(*np.random.default_rng(shares).permutation(names))
    house.join(names)
    assert set(alone.state) >= {
        *("series.parquet", "total_0/series.parquet", "total_0/0_counted.parquet"),
        *("0_counted.parquet", "0_gauged.parquet", "1_counted.parquet", "1_gauged.parquet"),
        *("2_gauged.parquet", "3_counted.parquet"),
        *(
            "populations.parquet",
            "jointly.parquet",
            "mix/0_counted.parquet",
            "mix/1_counted.parquet",
        ),
    }
    assert house.state == alone.state
    assert house.record == alone.record
    assert house.folders == ["state_20261112"]
    state = DetectorState.load(state_folder(house.root, house.connector, LEARNED_END))
    measures = state.measures.values()
    assert [one.population is not None for one in measures] == [True, False, False, True]
    assert all(
        len({part.rows[0] // state.shard for part in one.parts}) == SHARDS for one in measures
    )


def test_the_same_metrics_are_planned_once(house: House) -> None:
    names = house.plan()
    house.learn(names[1])
    learned = files_of(house.root / "detectors")
    assert house.plan() == house.plan(again=True) == names
    house.learn(names[1])
    assert files_of(house.root / "detectors") == learned


def test_a_share_that_was_killed_is_learned_again(
    house: House, alone: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = house.plan()
    house.learn(*names[:2])
    with monkeypatch.context() as patch:

        def killed(folder: UPath, measure: int, parts: list[Part]) -> None:
            save_parts(folder, measure, parts)
            if measure == 1:
                raise KeyboardInterrupt

        patch.setattr(fitted_file, "save_parts", killed)
        with pytest.raises(KeyboardInterrupt):
            house.learn(names[2])
    plan_folder = house.root / "detectors" / many_series.NAME / house.folders[0]
    left = [path for path in plan_folder.iterdir() if path.name.startswith("share_3.")]
    assert len(left) == 1
    assert list(left[0].glob("0_*"))
    with pytest.raises(ConfigError, match="3of3: was not learned yet"):
        house.join(names)
    assert house.state == {}
    house.learn(names[2])
    house.join(names)
    assert house.state == alone.state
    assert house.folders == ["state_20261112"]


def test_a_plan_cut_short_is_none(
    house: House, alone: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:

        def killed(path: UPath, tables: list[pa.Table]) -> None:
            write(path, tables)
            if path.name == "rows_2.parquet":
                raise KeyboardInterrupt

        patch.setattr(spread, "write", killed)
        with pytest.raises(KeyboardInterrupt):
            house.plan()
    assert len(house.folders) == 1
    assert planned(house.root, house.connector, LEARNED_END) == []
    names = house.plan()
    assert house.folders == [names[0].rpartition("_")[0]]
    house.learn(*names)
    house.join(names)
    assert house.state == alone.state


def test_shares_of_an_older_plan_are_never_joined(house: House, metrics: Path) -> None:
    house.metrics = UPath(shutil.copytree(metrics, house.root / "metrics"))
    old = house.plan()
    house.learn(*old)
    late = house.root / "metrics" / many_series.NAME / "backtest" / "late.csv"
    late.write_text(
        "timestamp,webacl,client,requests,balance,delay,user\n"
        "2026-11-09 00:00:00,acl-0,client-00002,70000,70000,20,u1\n"
    )
    new = house.plan()
    assert len(new) == len(old) == SHARDS
    assert not set(new) & set(old)
    assert house.folders == [new[0].rpartition("_")[0]]
    for stale in (lambda: house.learn(old[0]), lambda: house.join(old), lambda: house.join(new)):
        with pytest.raises(ConfigError):
            stale()
    house.learn(*new)
    house.join(new)
    shared = house.state
    house.in_one_process()
    assert house.state == shared


def test_a_share_is_of_the_connector_that_was_planned(house: House) -> None:
    names = house.plan()
    house.connector = replace(house.connector, measures=house.connector.measures[:3])
    for share in (lambda: house.learn(names[0]), lambda: house.join(names)):
        with pytest.raises(ConfigError, match="many_series is another since then"):
            share()
    with pytest.raises(UsageError, match="is none"):
        house.learn("../../other_1of3")


def test_joining_again_changes_nothing(house: House, alone: House) -> None:
    names = house.plan()
    house.learn(*names)
    house.join(names)
    house.join(names)  # whoever was killed after it does so
    assert house.state == alone.state
    assert house.plan() == []
    assert house.folders == ["state_20261112"]


def test_what_is_no_more_than_a_share_is_learned_at_once(house: House, alone: House) -> None:
    set_active(house.store, many_series.NAME, False)
    assert house.plan(SHARDS * ONE) == []
    assert house.state == {}
    set_active(house.store, many_series.NAME, True)
    assert house.plan(SHARDS * ONE) == []
    assert house.state == alone.state
    assert house.record == alone.record


def test_plans_of_days_that_passed_are_removed(house: House) -> None:
    house.plan()
    later = Window(TODAY.start + 7 * DAY, TODAY.start + 7 * DAY + HOUR)
    names = plan(house.store, house.root, house.metrics, house.connector, [later], ONE)
    assert house.folders == [names[0].rpartition("_")[0]]
    assert house.folders[0].startswith("learning_20261119_")
    today = house.plan()
    assert {name[: len("learning_20261112")] for name in house.folders} == {
        "learning_20261112",
        "learning_20261119",
    }
    assert planned(house.root, house.connector, LEARNED_END) == today
