"""A home of its own for every test, named by the environment as in an installation."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from copied import store_at
from dashboard_house import DashboardHouse


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DashboardHouse:
    for name in [name for name in os.environ if name.startswith("BARTIZAN_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("BARTIZAN_HOME", str(tmp_path))
    store_at(tmp_path / "lake").engine.dispose()
    return DashboardHouse()
