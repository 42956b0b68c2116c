"""A home of its own for every test, named by the environment as in an installation."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from dashboard_house import DashboardHouse

from bartizan.config import store_in
from bartizan.store import Store


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a store without rows: to copy one is faster than to make it."""
    folder = tmp_path_factory.mktemp("store")
    Store.open(store_in(folder)).engine.dispose()
    return folder / "store.db"


@pytest.fixture
def house(tmp_path: Path, empty_store: Path, monkeypatch: pytest.MonkeyPatch) -> DashboardHouse:
    for name in [name for name in os.environ if name.startswith("BARTIZAN_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("BARTIZAN_HOME", str(tmp_path))
    (tmp_path / "lake").mkdir()
    shutil.copy(empty_store, tmp_path / "lake" / "store.db")
    return DashboardHouse()
