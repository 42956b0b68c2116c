"""The sweep deletes what nobody can need, and never anything else."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lakes import requests

from bartizan.errors import UsageError
from bartizan.lake import Lake, add_files, planned_files
from bartizan.lake.batches import Batches
from bartizan.lake.compact import compact, small_files
from bartizan.lake.publish import published
from bartizan.lake.staged import staged_file
from bartizan.lake.sweep import sweep
from bartizan.model.window import DAY, HOUR

NAME = "waf.requests"
GRACE = DAY
START = datetime(2026, 11, 1, 22, tzinfo=UTC)


class Upkeep:
    """A lake whose ledger is two sets, and what a reader has to find in it."""

    def __init__(self, root: Path) -> None:
        self.lake = Lake.open(root)
        self.published: set[str] = set()
        self.unfinished: set[str] = set()
        self.staged: list[Path] = []

    def batches(self) -> Batches:
        return Batches(frozenset(self.published), frozenset(self.unfinished))

    def write(self, batch_id: str, suffix: str = "") -> Path:
        file = staged_file(self.lake, NAME, batch_id + suffix, START)
        file.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(requests([START], batch_id=batch_id), file)
        return file

    def publish(self, batch_id: str) -> None:
        self.write(batch_id)  # what was staged
        add_files(self.lake.table(NAME), [self.write(batch_id, "-unique")], batch_id)
        self.published.add(batch_id)

    def half_publish(self, batch_id: str) -> None:
        file = self.write(batch_id)
        add_files(self.lake.table(NAME), [file], batch_id)
        self.unfinished.add(batch_id)
        self.staged.append(file)

    def stage(self, batch_id: str) -> None:
        self.staged += [self.write(batch_id), self.write(batch_id, "-unique")]
        self.unfinished.add(batch_id)

    def leave_behind(self, batch_id: str) -> None:
        self.write(batch_id).rename(
            staged_file(self.lake, NAME, "x").with_name(".x.parquet.partial")
        )

    def compact(self, _: str) -> None:
        if not set(self.seen()).isdisjoint(self.unfinished):
            return
        for small in small_files(self.lake, NAME, most_files=1):
            compact(self.lake, small, self.batches)

    def sweep(self, _: str, after: timedelta = 25 * HOUR) -> None:
        sweep(self.lake, NAME, datetime.now(UTC) + after, self.batches, GRACE, dry_run=False)

    def seen(self) -> list[str]:
        """The batches of the published rows, a row each."""
        rows = [
            pq.read_table(file, columns=["batch_id"], partitioning=None)
            for file in planned_files(self.lake.table(NAME))
        ]
        return sorted(batch for table in rows for batch in table["batch_id"].to_pylist())

    def files(self) -> set[Path]:
        return {file for file in self.lake.data_path(NAME).rglob("*") if file.is_file()}


DEEDS = ["publish", "publish", "half_publish", "stage", "leave_behind", "compact", "sweep"]


@settings(max_examples=6, suppress_health_check=[HealthCheck.too_slow])
@given(deeds=st.lists(st.sampled_from(DEEDS), min_size=3, max_size=9))
def test_nothing_published_or_staged_ever_goes(
    tmp_path_factory: pytest.TempPathFactory, deeds: list[str]
) -> None:
    here = Upkeep(tmp_path_factory.mktemp("lake"))
    visible: set[str] = set()
    for number, deed in enumerate([*deeds, "sweep"]):
        batch_id = f"b{number}"
        getattr(here, deed)(batch_id)
        if deed in ("publish", "half_publish"):
            visible.add(batch_id)
        assert here.seen() == sorted(visible)
        assert all(file.exists() for file in here.staged)
        table = here.lake.table(NAME)
        assert all(published(table, one) for one in visible & here.unfinished)
    # After the last sweep nothing else is left either.
    planned = {Path(file) for file in planned_files(here.lake.table(NAME))}
    assert planned <= here.files()
    if not here.unfinished:
        assert here.files() == planned


def test_a_reader_keeps_its_files_for_the_grace_period(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long ago they were published: the time counts from their replacement."""
    published_at = time.time() - 10 * DAY.total_seconds()
    with monkeypatch.context() as patch:
        patch.setattr(time, "time", lambda: published_at)
        here = Upkeep(tmp_path)
        for batch_id in "abc":
            here.publish(batch_id)
    for file in here.files():
        os.utime(file, (published_at, published_at))
    held = {Path(file) for file in planned_files(here.lake.table(NAME))}
    here.compact("")
    here.sweep("", after=23 * HOUR)
    assert held <= here.files()
    assert here.seen() == ["a", "b", "c"]
    here.sweep("", after=25 * HOUR)
    assert held.isdisjoint(here.files())
    assert len(here.files()) == 1
    assert here.seen() == ["a", "b", "c"]
    assert here.lake.table(NAME).scan().count() == 3


def test_a_dry_run_tells_what_would_go_and_deletes_nothing(tmp_path: Path) -> None:
    here = Upkeep(tmp_path)
    for batch_id in "abc":
        here.publish(batch_id)
    here.compact("")
    foreign = here.lake.data_path(NAME) / "notes.txt"
    foreign.write_text("not ours")
    before, snapshots = here.files(), len(here.lake.table(NAME).snapshots())
    later = datetime.now(UTC) + 25 * HOUR
    plan = sweep(here.lake, NAME, later, here.batches, GRACE)
    assert (here.files(), len(here.lake.table(NAME).snapshots())) == (before, snapshots)
    assert plan.snapshots == snapshots - 1 == 3
    assert plan.bytes == sum(Path(file).stat().st_size for file in plan.files)

    done = sweep(here.lake, NAME, later, here.batches, GRACE, dry_run=False)
    assert done == plan
    assert before - here.files() == {Path(f) for f in done.files if f.endswith(".parquet")}
    assert foreign.exists()
    with pytest.raises(UsageError, match="too short"):
        sweep(here.lake, NAME, later, here.batches, grace=HOUR / 2)


def test_a_ledger_that_was_lost_keeps_what_it_should_have_known(tmp_path: Path) -> None:
    here = Upkeep(tmp_path)
    for batch_id in "ab":
        here.publish(batch_id)
    here.published.clear()
    here.sweep("")
    assert published(here.lake.table(NAME), "a")
    assert add_files(here.lake.table(NAME), [here.write("a")], "a") is False
