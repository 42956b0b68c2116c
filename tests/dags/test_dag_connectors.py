"""A connector's folder dropped in place has its DAGs; one with a hostile name has none."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FACTORIES = ("crawl", "detect", "backfill")


def dag_ids(sql: Path, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    from airflow.dag_processing.dagbag import DagBag

    monkeypatch.setenv("BARTIZAN_SQL", str(sql))
    found: set[str] = set()
    for name in FACTORIES:
        bag = DagBag(ROOT / "dags" / f"{name}.py")
        assert bag.import_errors == {}
        found |= set(bag.dags)
    return found


def test_a_dropped_folder_has_its_dags(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sql = Path(shutil.copytree(ROOT / "include" / "sql", tmp_path / "sql"))
    before = dag_ids(sql, monkeypatch)
    connectors = sql / "connectors"
    for name in ("my-logins_2", "../../evil", "a b; drop table x", "x'y", "é", "x" * 64, ".hidden"):
        shutil.copytree(connectors / "waf_traffic_by_country", connectors / name.replace("/", ":"))

    new = dag_ids(sql, monkeypatch) - before
    assert new == {f"{factory}_my-logins_2" for factory in FACTORIES}
    assert {f"{factory}_waf_traffic_by_country" for factory in FACTORIES} <= before


def test_an_imported_folder_has_its_dags(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from bartizan.crawl.lookout import import_connector

    sql = Path(shutil.copytree(ROOT / "include" / "sql", tmp_path / "sql"))
    example = ROOT / "examples" / "lookout" / "requests_by_country"
    import_connector(example, sql / "connectors", "shop")
    assert {f"{factory}_shop" for factory in FACTORIES} < dag_ids(sql, monkeypatch)
