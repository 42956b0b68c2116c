"""What the local Airflow's scheduler loads for its tasks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

import pytest

from bartizan.config import PROJECT
from bartizan.orchestration.scheduler import LIBRARIES

pytestmark = pytest.mark.airflow

ROOMS = (
    "bartizan.land.run",
    "bartizan.validate.run",
    "bartizan.aggregate",
    "bartizan.crawl.live",
    "bartizan.detect.run",
    "bartizan.explain.run",
    "bartizan.reporting",
    "great_expectations",
)
COUNTED = f"""
import importlib, json, sys, threading
loaded = sys.argv[1].split()
for name in loaded:
    importlib.import_module(name)
before = set(sys.modules)
threads = threading.active_count()
for name in {ROOMS}:
    importlib.import_module(name)
added = [name for name in set(sys.modules) - before if not name.startswith("bartizan")]
print(json.dumps({{"before": sorted(before), "added": len(added), "threads": threads}}))
"""


def counted(loaded: Sequence[str]) -> dict[str, Any]:
    """Which modules a process has that loaded these, and how many more the rooms then load."""
    done = subprocess.run(
        [sys.executable, "-c", COUNTED, " ".join(loaded)],
        env=os.environ | {"PYTHONPATH": str(PROJECT / "plugins")},
        capture_output=True,
        text=True,
        check=True,
    )
    return dict(json.loads(done.stdout.splitlines()[-1]))


def test_tasks_find_their_libraries_loaded_and_their_own_code_not() -> None:
    found = counted(LIBRARIES)

    assert found["added"] < len(found["before"]) / 10
    assert not [name for name in found["before"] if name.startswith("bartizan")]
    assert found["threads"] == 1  # a thread does not live on in a forked process


def test_it_is_the_scheduler_of_airflow() -> None:
    asked = subprocess.run(
        [sys.executable, "-m", "bartizan.orchestration.scheduler", "scheduler", "--help"],
        env=os.environ | {"PYTHONPATH": str(PROJECT / "plugins")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "--num-runs" in asked.stdout and "airflow scheduler" in asked.stdout
