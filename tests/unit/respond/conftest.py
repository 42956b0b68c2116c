"""One stand-in of AWS for all tests of the room; each test has IP sets and a store of its own."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import cache, partial
from pathlib import Path

import pytest
from botocore.loaders import JSONFileLoader
from moto.server import ThreadedMotoServer
from respond_house import REGION, RespondHouse

from bartizan.respond.ip_sets import Pace


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    moto = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    moto.start()
    yield "http://{}:{}".format(*moto.get_host_and_port())
    moto.stop()


@pytest.fixture(scope="module")
def endpoint(server: str) -> Iterator[str]:
    """AWS is there, and keys of somebody."""
    with pytest.MonkeyPatch.context() as env:
        # Each client reads the description of its service anew: megabytes, the same every time.
        once = cache(partial(JSONFileLoader.load_file, JSONFileLoader()))
        env.setattr(JSONFileLoader, "load_file", lambda _loader, path: once(path))
        env.setenv("AWS_ENDPOINT_URL", server)
        env.setenv("AWS_ACCESS_KEY_ID", "testing")
        env.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        env.setenv("AWS_DEFAULT_REGION", REGION)
        env.delenv("BARTIZAN_RESPOND", raising=False)
        yield server


@pytest.fixture
def house(endpoint: str, tmp_path: Path) -> RespondHouse:
    return RespondHouse(tmp_path)


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits between writes: the stand-in allows any number a second."""
    waits = (time.monotonic, lambda _seconds: None)
    monkeypatch.setattr(Pace.__init__, "__defaults__", waits)
