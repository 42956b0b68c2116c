"""The detect DAG in a real Airflow: very many series are learned in shares, others are not."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import many_series
import pytest
from dag_run import run_dag, sql_with
from files_of import files_of
from many_series import NAME, TODAY

from bartizan import jobs
from bartizan.errors import ConfigError

SERIES, SHARDS = 8_300, 3
DETECT = f"detect_{NAME}"
TASKS = ("plan_learning", "learn_share", "join_shares", "score_windows", "explain_incidents")

pytestmark = pytest.mark.airflow
Run = Callable[..., dict[str, Counter[str]]]


@pytest.fixture(scope="module")
def sql(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = sql_with(tmp_path_factory.mktemp("all"))
    many_series.write_connector(folder / "connectors")
    return folder


@pytest.fixture(scope="module")
def metrics(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("metrics")
    many_series.write_metrics(folder, SERIES)
    return folder


@pytest.fixture
def home(sql: Path, metrics: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [name for name in os.environ if name.startswith("BARTIZAN_")]:
        monkeypatch.delenv(name)
    settings = {"HOME": tmp_path / "shares", "SQL": sql, "METRICS": metrics, "ALERTS": ""}
    for name, value in settings.items():
        monkeypatch.setenv(f"BARTIZAN_{name}", str(value))
    return tmp_path


@pytest.fixture
def run(home: Path) -> Run:
    def run_detect(state: str = "success") -> dict[str, Counter[str]]:
        return run_dag("detect.py", DETECT, state, run_conf=TODAY.as_json())

    return run_detect


def detector(home: Path) -> dict[str, bytes]:
    """What the detector has learned and scored, without what goes by when a file was written."""
    files = files_of(home / "lake" / "detectors" / NAME)
    own = {name: content for name, content in files.items() if name.endswith(".parquet")}
    return {name: content for name, content in own.items() if "/after_" not in name}


def test_many_shares_score_as_one_process(
    run: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BARTIZAN_LEARN_SHARE", str(4096 * many_series.DAYS))
    assert run() == {name: Counter(success=1) for name in TASKS} | {
        "learn_share": Counter(success=SHARDS)
    }
    shared = detector(home / "shares")
    assert {name.split("/")[0] for name in shared} == {"scores", "state_20261112"}
    incidents = jobs.list_incidents(TODAY.end)
    assert len(incidents) > 3

    monkeypatch.setenv("BARTIZAN_HOME", str(home / "alone"))
    found = jobs.detect(NAME, [TODAY])
    assert found["scores"] > 4 * SERIES * 0.9
    alone = detector(home / "alone")
    assert [name for name in alone if alone[name] != shared[name]] == []
    assert shared.keys() == alone.keys()
    assert [one["id"] for one in jobs.list_incidents(TODAY.end)] == [one["id"] for one in incidents]


def test_without_the_setting_scoring_learns(run: Run, home: Path) -> None:
    assert run() == {name: Counter(success=1) for name in TASKS[-2:]}
    assert "state_20261112/series.parquet" in detector(home / "shares")


def test_a_detector_that_is_one_share_has_no_tasks_for_it(
    run: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BARTIZAN_LEARN_SHARE", "60000000")
    none = {"learn_share": Counter(skipped=1), "join_shares": Counter(skipped=1)}
    assert run() == {name: Counter(success=1) for name in TASKS} | none
    learned = detector(home / "shares")
    assert "state_20261112/series.parquet" in learned
    assert run() == {name: Counter(success=1) for name in TASKS} | none
    assert detector(home / "shares") == learned


def test_a_share_that_fails_is_all_that_is_done_again(
    run: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BARTIZAN_LEARN_SHARE", str(4096 * many_series.DAYS))
    shares = jobs.plan_learning(NAME, [TODAY])
    plan = home / "shares" / "lake" / "detectors" / NAME / shares[1].rpartition("_")[0]
    rows = plan / "rows_2.parquet"
    whole = rows.read_bytes()
    rows.write_bytes(whole[:-100])
    found = run(state="failed")
    assert found["learn_share"] == Counter(success=2, failed=1)
    assert found["score_windows"] == Counter(upstream_failed=1)
    with pytest.raises(ConfigError, match="2of3: was not learned yet"):
        jobs.join_shares(NAME, shares)

    rows.write_bytes(whole)
    first = files_of(plan / "share_1")
    times = {path: path.stat().st_mtime_ns for path in (plan / "share_1").iterdir()}
    jobs.learn_share(NAME, shares[0])
    assert {path: path.stat().st_mtime_ns for path in (plan / "share_1").iterdir()} == times
    assert len(first) >= 4
    assert run()["learn_share"] == Counter(success=SHARDS)
