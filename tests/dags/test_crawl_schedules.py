"""A connector's DAGs follow what it reads: the lake, another engine, or files of others."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
MODEL = "waf_traffic_by_country"


def test_schedules_and_factories(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow.dag_processing.dagbag import DagBag
    from airflow.sdk import CronDataIntervalTimetable

    sql = Path(shutil.copytree(ROOT / "include" / "sql", tmp_path / "sql"))
    monkeypatch.setenv("BARTIZAN_SQL", str(sql))
    changes = {
        "sales": {"engine": "redshift"},
        "lake": {"engine": "duckdb"},
        "files": {"source": {"live": "s3://amzn-s3-demo-bucket/{{yyyyMMdd}}/{{HHmm}}"}},
    }
    for name, change in changes.items():
        folder = Path(shutil.copytree(sql / "connectors" / MODEL, sql / "connectors" / name))
        described = yaml.safe_load((folder / "connector.yaml").read_text())
        (folder / "connector.yaml").write_text(yaml.safe_dump(described | change))

    crawls = DagBag(ROOT / "dags" / "crawl.py")
    backfills = DagBag(ROOT / "dags" / "backfill.py")
    assert crawls.import_errors == backfills.import_errors == {}
    followed = {name: crawls.dags[f"crawl_{name}"].timetable for name in (MODEL, *changes)}
    hourly = {n for n, table in followed.items() if isinstance(table, CronDataIntervalTimetable)}
    assert hourly == {"sales", "files"}
    assert {f"backfill_{name}" for name in (MODEL, "lake", "sales")} <= set(backfills.dags)
    assert "backfill_files" not in backfills.dags


def test_looking_at_what_connectors_follow_is_quick(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DAG files are parsed every half minute."""
    from bartizan import jobs

    sql = Path(shutil.copytree(ROOT / "include" / "sql", tmp_path / "sql"))
    monkeypatch.setenv("BARTIZAN_SQL", str(sql))
    begun = time.process_time()
    for _ in range(100):
        jobs.feed_of(MODEL)
    assert time.process_time() - begun < 1.0
