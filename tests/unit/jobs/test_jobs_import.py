"""DAG files import the jobs whenever they are parsed, and every task does."""

from __future__ import annotations

from imports import loaded

HEAVY = ("pandas", "pyarrow", "duckdb", "numpy")


def test_importing_the_jobs_loads_no_engine() -> None:
    assert "pandas" in loaded("import pandas", HEAVY)
    assert loaded("import bartizan.jobs", HEAVY) == []
