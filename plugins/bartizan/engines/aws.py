"""AWS as the engines use it: clients, pauses between polls, and errors in the project's words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any

import boto3

from bartizan import aws_errors
from bartizan.boto import PATIENT

_FIRST_PAUSE, _LONGEST_PAUSE, _GROWTH = 0.2, 5.0, 1.5  # seconds
_DENIED = (
    "AccessDenied",
    "UnrecognizedClient",
    "ExpiredToken",
    "InvalidClientTokenId",
    "Forbidden",
)


def client(service: str, region: str | None = None) -> Any:
    """A boto3 client that retries; its endpoint follows AWS_ENDPOINT_URL and _<SERVICE>."""
    with calling(service):
        return boto3.client(service, region_name=region, config=PATIENT)


def pauses() -> Iterator[float]:
    """Seconds to wait before each further look at a running query, without end."""
    pause = _FIRST_PAUSE
    while True:
        yield pause
        pause = min(pause * _GROWTH, _LONGEST_PAUSE)


def calling(thing: str) -> AbstractContextManager[None]:
    """Turns errors of calls about `thing` into TransientError (busy, unreachable) or UsageError."""
    return aws_errors.calling(thing, _remedy)


def _remedy(code: str, _status: int) -> str:
    denied = code.startswith(_DENIED)
    return "grant the access or renew the credentials" if denied else "correct the connection"
