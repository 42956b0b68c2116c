"""A stand-in of AWS on loopback, and the environment that leads to it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from typing import Any

import pytest
from botocore.loaders import JSONFileLoader
from moto.server import ThreadedMotoServer
from respond_house import REGION, wafv2

from bartizan.model.intel import IpSetTarget
from bartizan.respond import ip_sets


@contextmanager
def stand_in() -> Iterator[str]:
    """Its address, while it runs."""
    moto = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    moto.start()
    yield "http://{}:{}".format(*moto.get_host_and_port())
    moto.stop()


@contextmanager
def leading_to(server: str) -> Iterator[None]:
    """AWS is there, keys of somebody, and nobody waits between writes: any number is allowed."""
    wafv2.cache_clear()  # what was signed in before is unknown once a stand-in was reset
    with pytest.MonkeyPatch.context() as env:
        # Each client reads the description of its service anew: megabytes, the same every time.
        once = cache(partial(JSONFileLoader.load_file, JSONFileLoader()))
        env.setattr(JSONFileLoader, "load_file", lambda _loader, path: once(path))
        env.setattr(ip_sets, "_client_of", partial(_opened_before, {}, ip_sets._client_of))
        hurried = (time.monotonic, lambda _seconds: None)
        env.setattr(ip_sets.Pace.__init__, "__defaults__", hurried)
        env.setenv("AWS_ENDPOINT_URL", server)
        env.setenv("AWS_ACCESS_KEY_ID", "testing")
        env.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        env.setenv("AWS_DEFAULT_REGION", REGION)
        env.delenv("BARTIZAN_RESPOND", raising=False)
        yield


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
