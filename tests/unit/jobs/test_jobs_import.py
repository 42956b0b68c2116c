"""DAG files import the jobs whenever they are parsed, every task does, and so does `--help`."""

from __future__ import annotations

import pytest
from imports import loaded

HEAVY = ("pandas", "pyarrow", "duckdb", "numpy", "sqlalchemy", "boto3")


@pytest.mark.parametrize("module", ["bartizan.jobs", "bartizan.cli"])
def test_importing_the_jobs_or_the_command_loads_no_engine(module: str) -> None:
    assert "pandas" in loaded("import pandas", HEAVY)
    assert loaded(f"import {module}", HEAVY) == []
