"""The demo, killed in the middle and run again, against the same plan without Airflow."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from unittest.mock import patch

import psutil
import pyarrow as pa
import pytest

from bartizan import jobs
from bartizan.model.window import format_time
from bartizan.orchestration.demo import WATCHED, DemoPlan
from bartizan.store.incidents import load_incidents

ROOT = Path(__file__).resolve().parents[2]
PLAN = DemoPlan(hourly_runs=1, records_per_day=12_000)
TABLES = ("waf.requests", "waf.rule_hits", "waf.quarantine")
TIMEOUT_S = 400.0

pytestmark = pytest.mark.e2e


@dataclass
class Demo:
    """The command in a home of its own, and every Airflow process that it was seen to start."""

    home: Path
    port: int
    airflow: dict[int, float] = field(default_factory=dict)

    def start(self, log: Path) -> subprocess.Popen[bytes]:
        words = ("--port", self.port, "--home", self.home)
        plan = ("--hourly-runs", PLAN.hourly_runs, "--records-per-day", PLAN.records_per_day)
        env = {
            name: v
            for name, v in os.environ.items()
            if not name.startswith(("AIRFLOW", "BARTIZAN_"))
        }
        with log.open("wb") as output:
            return subprocess.Popen(
                [sys.executable, "-m", "bartizan.cli", "demo", *map(str, (*words, *plan))],
                env=env | {"PYTHONPATH": str(ROOT / "plugins"), "PYTHONUNBUFFERED": "1"},
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait(self, process: subprocess.Popen[bytes], log: Path, text: str = "") -> bool:
        """Wait until the log shows the text, True, or the process has ended, False."""
        deadline = time.monotonic() + TIMEOUT_S
        while process.poll() is None:
            assert time.monotonic() < deadline, log.read_text()
            self.note()
            if text and text in log.read_text():
                return True
            time.sleep(0.1)
        return False

    def note(self) -> None:
        """Keep the processes that the running demo has written down."""
        file = self.home / "airflow" / "processes.json"
        if file.exists() and (content := file.read_text()):
            self.airflow |= {int(pid): at for pid, at in json.loads(content).items()}

    def left_over(self) -> list[psutil.Process]:
        """Those of its processes that still run."""
        found = []
        for pid, at in self.airflow.items():
            try:
                process = psutil.Process(pid)
                if process.create_time() == at and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
            except psutil.NoSuchProcess:
                continue
        return found


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A demo that was killed while it landed history, and then run to its end."""
    folder = tmp_path_factory.mktemp("demo")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        demo = Demo(folder / "home", probe.getsockname()[1])
    started = []
    try:
        first, second = folder / "first.log", folder / "second.log"
        started.append(demo.start(first))
        assert demo.wait(started[0], first, "land history: waf_land"), first.read_text()
        os.kill(started[0].pid, signal.SIGKILL)
        assert started[0].wait() == -signal.SIGKILL
        assert demo.left_over(), "nothing was left to clean up: the kill came too late"

        started.append(demo.start(second))
        demo.wait(started[1], second)
        assert started[1].returncode == 0, second.read_text()
        yield demo
    finally:
        for process in started:
            if process.poll() is None:
                process.kill()
                process.wait()
        for leader in demo.left_over():
            os.killpg(leader.pid, signal.SIGKILL)


@pytest.fixture(scope="module")
def plain(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the same logs, walked through by the jobs without Airflow."""
    home = tmp_path_factory.mktemp("plain")
    (home / "raw").symlink_to(demo.home / "raw")
    with at_home(home):
        jobs.land(PLAN.history, _quietly)
        jobs.aggregate([PLAN.history])
        for name in WATCHED:
            jobs.backfill(name, PLAN.history, dry_run=False)
            jobs.learn(name, PLAN.live.start)
        jobs.land(None, _quietly)
        jobs.aggregate(None)
        for name in WATCHED:
            jobs.crawl(name, [PLAN.live])
            jobs.detect(name, [PLAN.live])
        jobs.explain()
    return home


def _quietly(done: int, total: int) -> None:
    """Shows no progress."""


@contextmanager
def at_home(home: Path) -> Iterator[None]:
    """The jobs work in this home."""
    env = {name: v for name, v in os.environ.items() if not name.startswith("BARTIZAN_")}
    with patch.dict(os.environ, env | {"BARTIZAN_HOME": str(home)}, clear=True):
        yield


def rows(home: Path, table: str, *columns: str) -> pa.Table:
    with at_home(home):
        return jobs.open_lake().table(table).scan(selected_fields=columns or ("*",)).to_arrow()


def count(home: Path, table: str) -> int:
    with at_home(home):
        return jobs.open_lake().table(table).scan().count()


def test_nothing_is_left_running(demo: Demo) -> None:
    assert len(demo.airflow) >= 6, "two runs of three components each were to be seen"
    assert demo.left_over() == []
    assert not (demo.home / "airflow" / "processes.json").exists()


def test_every_record_was_landed_once(demo: Demo, plain: Path) -> None:
    for table in TABLES:
        assert count(demo.home, table) == count(plain, table), table
    assert count(plain, "waf.requests") > 100_000
    keys = rows(demo.home, "waf.requests", "event_ms", "webacl", "record_hash")
    assert keys.num_rows == keys.group_by(keys.column_names).aggregate([]).num_rows


# Aggregates of which the small plan has few rows, or none: no token is reused in it.
FEW = ("agg.agg_oversize_1h", "agg.agg_token_5m", "agg.agg_token_reuse_1d")


def test_aggregates_are_equal_row_for_row(demo: Demo, plain: Path) -> None:
    with at_home(plain):
        tables = [name for name in jobs.open_lake().names() if name.startswith("agg.")]
    for table in tables:
        ours, theirs = aggregated(demo.home, table), aggregated(plain, table)
        order = [(name, "ascending") for name in ours.column_names]
        assert ours.sort_by(order).equals(theirs.sort_by(order)), table
        assert ours.num_rows > 1000 or table in FEW, table
    assert len(tables) == 14


def aggregated(home: Path, table: str) -> pa.Table:
    """All but how many batches the requests came in: the walk without Airflow has fewer."""
    found = rows(home, table)
    return found.drop(["batches"]) if table == "agg.ops_landing_5m" else found


def test_metric_files_are_equal_byte_for_byte(demo: Demo, plain: Path) -> None:
    ours, theirs = metric_files(demo.home), metric_files(plain)
    assert sorted(ours) == sorted(theirs)
    assert len(ours) > 300
    assert [name for name in ours if ours[name] != theirs[name]] == []


def metric_files(home: Path) -> dict[str, bytes]:
    folder = home / "metrics"
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): _content(path) for path in files}


def _content(path: Path) -> bytes:
    """All but the digest of the lake's files that a backfill read: a killed run left others."""
    if not path.name.startswith("_manifest_"):
        return path.read_bytes()
    manifest = json.loads(path.read_text())
    assert manifest.pop("made_by")
    return json.dumps(manifest).encode()


def test_incidents_are_equal(demo: Demo, plain: Path) -> None:
    ours = incidents(demo.home)
    assert ours == incidents(plain)
    assert len(ours) >= 5


def incidents(home: Path) -> list[tuple[str, float, str, str]]:
    with at_home(home):
        found = [one.incident for one in load_incidents(jobs.open_store())]
    return sorted(
        (one.id, one.severity, format_time(one.window.start), format_time(one.window.end))
        for one in found
    )
