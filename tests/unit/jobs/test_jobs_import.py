"""DAG files import the jobs whenever they are parsed, and every task does."""

from __future__ import annotations

import os
import subprocess
import sys

from bartizan.config import PROJECT

HEAVY = ("pandas", "pyarrow", "duckdb", "numpy")


def loaded(statement: str) -> str:
    """Which of HEAVY a fresh interpreter has loaded after the statement."""
    code = f"{statement}\nimport sys\nprint([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": str(PROJECT / "plugins")},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_importing_the_jobs_loads_no_engine() -> None:
    assert "pandas" in loaded("import pandas")
    assert loaded("import bartizan.jobs") == "[]"
