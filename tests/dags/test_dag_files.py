"""Every DAG file loads, is a short manual page, and keeps the house rules."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / "dags").glob("*.py"))
CONNECTORS = {
    path.parent.name for path in (ROOT / "include/sql/connectors").glob("*/connector.yaml")
}
SINGLE = {
    "simulate",
    "waf_land",
    "waf_reconcile",
    "waf_aggregate",
    "dispatch",
    "lake_maintenance",
    "lake_mirror",
    "respond",
    "respond_expire",
    "respond_share",
}
PER_CONNECTOR = {"crawl", "backfill", "detect"}


@pytest.fixture(scope="module")
def dags():
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(ROOT / "dags")
    assert bag.import_errors == {}
    return bag.dags


def test_every_file_gives_its_dags(dags) -> None:
    assert {path.stem for path in FILES} == SINGLE | PER_CONNECTOR
    assert len(CONNECTORS) >= 2
    expected = SINGLE | {f"{kind}_{name}" for kind in PER_CONNECTOR for name in CONNECTORS}
    assert set(dags) == expected


def test_every_dag_states_what_it_owes_its_reader(dags) -> None:
    for dag_id, dag in dags.items():
        assert len(dag.doc_md) > 200, dag_id
        assert {"bartizan"} < set(dag.tags), dag_id
        assert dag.max_active_runs == 1, dag_id
        assert dag.catchup is False, dag_id
        assert dag.dagrun_timeout, dag_id
        assert dag.tasks, dag_id
        for task in dag.tasks:
            assert task.retries >= 2 or task.task_id == "confirm_published", task
            assert task.owner == "bartizan", task


def test_what_writes_history_is_a_dry_run_unless_told_otherwise(dags) -> None:
    for name in CONNECTORS:
        assert dags[f"backfill_{name}"].params["dry_run"] is True


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_dag_file_is_at_most_a_hundred_lines(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 100


def test_airflow_does_not_run_library_files_as_plugins() -> None:
    from airflow import plugins_manager

    plugins_manager.ensure_plugins_loaded()
    stems = {path.stem for path in (ROOT / "plugins/bartizan").rglob("*.py")} - {"__init__"}
    ours = {
        stem
        for stem in stems & sys.modules.keys()
        if str(getattr(sys.modules[stem], "__file__", "")).startswith(str(ROOT / "plugins"))
    }
    assert ours == set()
