"""INACTIVE → LEARNING → ACTIVE, FAILED and back, DEACTIVATED and back; each says why."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from upath import UPath

from bartizan.config import store_in
from bartizan.detect.kept import KEPT
from bartizan.detect.run import DetectResult, detect, learn_for
from bartizan.detect.score import follow
from bartizan.detect.state import VERSION, DetectorState
from bartizan.errors import SourceError
from bartizan.model.connector import Connector, Measure
from bartizan.model.window import DAY, HOUR, Window, naive
from bartizan.store import Store
from bartizan.store.detectors import DetectorRecord, DetectorStatus, load_detector, set_active

START = datetime(2026, 11, 2, tzinfo=UTC)
CONNECTOR = Connector("n", "", HOUR, timedelta(), "timestamp", (), (Measure("count"),), "")


class House:
    """A store, and hourly metrics of three requests."""

    def __init__(self, folder: Path) -> None:
        self.store, self.root = Store.open(store_in(folder)), folder

    def write(self, first_day: int, end_day: int) -> Path:
        path = self.root / "metrics" / "n" / "backtest" / f"{first_day}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        hours = Window(START + first_day * DAY, START + end_day * DAY).split(HOUR)
        rows = "".join(f"{naive(hour.start)},3\n" for hour in hours)
        path.write_text("timestamp,count\n" + rows)
        return path

    def live(self, day: int) -> DetectResult:
        """Detect in the first hour of a day."""
        start = START + day * DAY
        path = self.root / "metrics" / "n" / "live" / f"{start:%Y%m%d}" / "0000" / "n.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"timestamp,count\n{naive(start)},3\n")
        window = Window(start, start + HOUR)
        return detect(self.store, self.root, UPath(self.root / "metrics"), CONNECTOR, [window])

    def days(self) -> list[int]:
        """Those whose states are kept."""
        names = sorted(path.name for path in (self.root / "detectors" / "n").glob("state_*"))
        begun = [datetime.strptime(f"{name} +0000", "state_%Y%m%d %z") for name in names]
        return [(start - START) // DAY for start in begun]

    @property
    def record(self) -> DetectorRecord:
        return load_detector(self.store, "n")


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def test_learning_says_when_it_is_ready_and_then_it_is(house: House) -> None:
    assert house.record.state is DetectorStatus.INACTIVE
    house.write(0, 10)
    assert house.live(10).scores == 1
    # 240 of 300 hours; 60 more end on the 13th day at 12:00, and are learned for the next day.
    assert house.record.state is DetectorStatus.LEARNING
    assert house.record.reason.startswith(
        "240 of 300 intervals seen; ready at 2026-11-15T00:00:00Z"
    )
    house.write(10, 13)
    house.live(12)
    assert house.record.state is DetectorStatus.LEARNING
    house.live(13)
    assert (house.record.state, house.record.series_ready) == (DetectorStatus.ACTIVE, 1)


def test_failed_with_its_reason_until_it_learns_again(house: House) -> None:
    house.write(0, 14)
    house.live(14)
    before = house.record
    bad = house.root / "metrics" / "n" / "backtest" / "x.csv"
    bad.write_text("no,metrics\n1,2\n")
    with pytest.raises(SourceError):
        house.live(15)
    failed = house.record
    assert failed.state is DetectorStatus.FAILED
    assert str(bad) in failed.reason
    assert (failed.learned_end, failed.scored_through) == (
        before.learned_end,
        before.scored_through,
    )
    bad.unlink()
    assert house.live(15).state == "ACTIVE"
    assert house.record.state is DetectorStatus.ACTIVE


def older(folder: UPath) -> None:
    state = DetectorState.load(folder)
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()
    replace(state, version=VERSION - 1).save(folder)


def truncated(folder: UPath) -> None:
    content = (folder / "0_counted.parquet").read_bytes()
    (folder / "0_counted.parquet").write_bytes(content[: len(content) // 2])


def garbled(folder: UPath) -> None:
    """Whole by its footer: what is wrong shows when the rows are read."""
    content = bytearray((folder / "series.parquet").read_bytes())
    content[4:40] = b"\xff" * 36
    (folder / "series.parquet").write_bytes(content)


def lacking(folder: UPath) -> None:
    (folder / "0_counted.parquet").unlink()


@pytest.mark.parametrize(
    ("damage", "because"),
    [
        (older, f"version {VERSION - 1} is not {VERSION}"),
        (truncated, "0_counted.parquet is not there, or no whole Parquet file"),
        (garbled, "series.parquet is not there, or no whole Parquet file"),
        (lacking, "0_counted.parquet is not there, or no whole Parquet file"),
    ],
)
def test_a_state_that_cannot_be_used_is_learned_again_at_once(
    house: House, damage: Callable[[UPath], None], because: str
) -> None:
    house.write(0, 14)
    house.live(14)
    (folder,) = UPath(house.root / "detectors" / "n").glob("state_*")
    names = ("0_counted.parquet", "series.parquet")
    files = {name: (folder / name).read_bytes() for name in names}
    before = house.record
    assert before.reason == "learned from 336 intervals"
    damage(folder)
    assert house.live(14).scores == 1
    assert {name: (folder / name).read_bytes() for name in names} == files
    assert house.record.state is DetectorStatus.ACTIVE
    assert house.record.reason.startswith(f"{before.reason}; learned again because {folder}")
    assert house.record.reason.endswith(because)
    again = house.record
    assert house.live(14).scores == 1
    assert house.record == again


def test_states_of_the_last_days_are_kept(house: House) -> None:
    house.write(0, 30)
    for day in range(14, 20):
        assert house.live(day).scores == 1
        assert house.days() == list(range(max(14, day - KEPT + 1), day + 1))
    (newest,) = (house.root / "detectors" / "n").glob(f"state_{START + 19 * DAY:%Y%m%d}")
    before = newest.stat().st_mtime_ns
    assert house.live(14).scores == 1  # learned again, and no later one goes
    assert house.days() == [14, *range(17, 20)]
    assert newest.stat().st_mtime_ns == before
    house.live(20)
    assert house.days() == [18, 19, 20]


@pytest.mark.parametrize(("later", "kept"), [(1, True), (KEPT, False)])
def test_states_may_be_removed_while_one_scores(
    house: House, monkeypatch: pytest.MonkeyPatch, later: int, kept: bool
) -> None:
    house.write(0, 30)
    metrics = UPath(house.root / "metrics")

    def overtaken(*given: Any) -> Any:
        for day in range(15, 15 + later):
            learn_for(house.store, house.root, metrics, CONNECTOR, START + day * DAY)
        return follow(*given)

    monkeypatch.setattr("bartizan.detect.run.follow", overtaken)
    assert house.live(14).scores == 1
    memories = list((house.root / "detectors" / "n").glob("state_*/after_*"))
    assert (14 in house.days(), len(memories)) == (kept, int(kept))


def test_a_state_removed_before_its_day_is_scored_leaves_no_memory(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.write(0, 30)
    scores = house.live(14).scores

    def removed(*given: Any, **named: Any) -> Any:
        found = learn_for(*given, **named)
        shutil.rmtree(house.root / "detectors" / "n" / f"state_{START + 14 * DAY:%Y%m%d}")
        return found

    monkeypatch.setattr("bartizan.detect.run.learn_for", removed)
    assert house.live(14).scores == scores == 1
    assert house.days() == []


def test_deactivated_does_nothing_until_it_is_activated(house: House) -> None:
    set_active(house.store, "n", active=False)
    house.write(0, 14)
    assert (house.live(14).state, house.live(14).scores) == ("DEACTIVATED", 0)
    assert not (house.root / "detectors").exists()
    assert set_active(house.store, "n", active=True).state is DetectorStatus.INACTIVE
    assert house.live(14).state == "ACTIVE"

    before = house.record
    stopped = set_active(house.store, "n", active=False)
    assert "deactivated by hand" in stopped.reason
    assert set_active(house.store, "n", active=False) == stopped
    result = house.live(15)
    assert (result.state, result.reason, result.intervals) == ("DEACTIVATED", stopped.reason, 0)
    assert house.record.scored_through == before.scored_through
    again = set_active(house.store, "n", active=True)
    assert (again.state, again.series_ready) == (DetectorStatus.ACTIVE, 1)
    assert house.live(15).scores == 1
