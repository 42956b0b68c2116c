"""Runs a DAG to its end in this process, in a real Airflow."""

from __future__ import annotations

import shutil
from collections import Counter
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from bartizan.config import PROJECT

DAGS = PROJECT / "dags"


def sql_with(folder: Path, *connectors: str) -> Path:
    """The project's SQL with these connectors only. Airflow reads and stores every DAG there is
    for each run, and each connector has three.
    """
    source = PROJECT / "include" / "sql"
    shutil.copytree(source, folder / "sql", ignore=shutil.ignore_patterns("connectors"))
    for name in connectors:
        shutil.copytree(source / "connectors" / name, folder / "sql" / "connectors" / name)
    (folder / "sql" / "connectors").mkdir(exist_ok=True)
    return folder / "sql"


@cache
def database() -> None:
    """Airflow's own, made once."""
    from airflow.utils.db import initdb

    initdb()


def run_dag(
    file: str, dag_id: str, state: str = "success", at: datetime | None = None, **how: Any
) -> dict[str, Counter[str]]:
    """How many instances of each task ended in which state; asserts that of the run. `how` is what
    `DAG.test` takes."""
    from airflow.dag_processing.dagbag import DagBag

    database()
    dag = DagBag(DAGS / file).dags[dag_id]  # read anew: a test run leaves its params behind
    for task in dag.tasks:
        task.retries = 0  # a failure is to be seen at once
    finished = dag.test(logical_date=at or datetime.now(UTC), **how)
    found: dict[str, Counter[str]] = {}
    for instance in finished.get_task_instances():
        found.setdefault(instance.task_id, Counter())[str(instance.state)] += 1
    assert finished.state == state, found
    return found


def run_single(file: str, dag_id: str, **how: Any) -> dict[str, str]:
    """The state of each task of a DAG in which none is mapped."""
    found = run_dag(file, dag_id, **how)
    return {task: state for task, states in found.items() for (state,) in [states]}
