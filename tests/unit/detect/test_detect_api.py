"""The example of docs/detection.md#api runs as it stands, and needs little."""

from __future__ import annotations

import re

from imports import loaded

from bartizan.config import PROJECT

HEAVY = ("airflow", "pyiceberg", "great_expectations", "sqlalchemy", "duckdb", "matplotlib")


def test_the_example_of_the_documentation() -> None:
    text = (PROJECT / "docs" / "detection.md").read_text()
    [example] = re.findall(r"## API\n.*?```python\n(.*?)```", text, re.DOTALL)
    assert example.count("assert ") == 3
    exec(compile(example, "docs/detection.md", "exec"), {})


def test_the_import_brings_no_airflow_and_no_database() -> None:
    assert loaded("import sqlalchemy", HEAVY) == ["sqlalchemy"]
    assert loaded("import bartizan.detect", HEAVY) == []
