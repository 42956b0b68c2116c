"""One stand-in of AWS for all tests of the room; each test has IP sets and a store of its own."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from respond_house import RespondHouse
from stand_in_aws import leading_to, stand_in

from bartizan.respond.ip_sets import Pace


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    with stand_in() as address:
        yield address


@pytest.fixture(scope="module")
def endpoint(server: str) -> Iterator[str]:
    with leading_to(server):
        yield server


@pytest.fixture
def house(endpoint: str, tmp_path: Path) -> RespondHouse:
    return RespondHouse(tmp_path)


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits between writes: the stand-in allows any number a second."""
    waits = (time.monotonic, lambda _seconds: None)
    monkeypatch.setattr(Pace.__init__, "__defaults__", waits)
