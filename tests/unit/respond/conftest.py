"""One stand-in of AWS for all tests of the room; each test has IP sets and a store of its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest
from botocore.loaders import JSONFileLoader
from moto.server import ThreadedMotoServer
from respond_house import REGION, RespondHouse

from bartizan.model.intel import IpSetTarget
from bartizan.respond import ip_sets
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
        env.setattr(ip_sets, "_client_of", partial(_opened_before, {}, ip_sets._client_of))
        env.setenv("AWS_ENDPOINT_URL", server)
        env.setenv("AWS_ACCESS_KEY_ID", "testing")
        env.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        env.setenv("AWS_DEFAULT_REGION", REGION)
        env.delenv("BARTIZAN_RESPOND", raising=False)
        yield server


def _opened_before(
    clients: dict[tuple[str | None, ...], Any],
    open_client: Callable[[IpSetTarget], Any],
    target: IpSetTarget,
) -> Any:
    """A client like an earlier one is that one: to make it reads megabytes."""
    key = (target.account_id, target.role_arn, target.scope, target.region)
    if key not in clients:
        clients[key] = open_client(target)
    return clients[key]


@pytest.fixture
def house(endpoint: str, tmp_path: Path) -> RespondHouse:
    return RespondHouse(tmp_path)


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits between writes: the stand-in allows any number a second."""
    waits = (time.monotonic, lambda _seconds: None)
    monkeypatch.setattr(Pace.__init__, "__defaults__", waits)
