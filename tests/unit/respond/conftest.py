"""One stand-in of AWS for all tests of the room; each test has IP sets and a store of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from respond_house import RespondHouse
from stand_in_aws import leading_to, stand_in


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
