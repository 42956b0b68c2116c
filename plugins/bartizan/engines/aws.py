"""AWS as the engines use it: clients, pauses between polls, and errors in the project's words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,
    HTTPClientError,
)

from bartizan.boto import PATIENT
from bartizan.errors import TransientError, UsageError

_FIRST_PAUSE, _LONGEST_PAUSE, _GROWTH = 0.2, 5.0, 1.5  # seconds
_BUSY = ("Throttling", "TooManyRequests", "SlowDown", "RequestLimitExceeded", "RequestTimeout")
_DENIED = (
    "AccessDenied",
    "UnrecognizedClient",
    "ExpiredToken",
    "InvalidClientTokenId",
    "Forbidden",
)


def client(service: str, region: str | None = None) -> Any:
    """A boto3 client that retries; its endpoint follows AWS_ENDPOINT_URL and _<SERVICE>."""
    try:
        return boto3.client(service, region_name=region, config=PATIENT)
    except BotoCoreError as error:
        raise _translated(service, error) from error


def pauses() -> Iterator[float]:
    """Seconds to wait before each further look at a running query, without end."""
    pause = _FIRST_PAUSE
    while True:
        yield pause
        pause = min(pause * _GROWTH, _LONGEST_PAUSE)


@contextmanager
def calling(thing: str) -> Iterator[None]:
    """Turns errors of calls about `thing` into TransientError (busy, unreachable) or UsageError."""
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise _translated(thing, error) from error


def _translated(thing: str, error: BotoCoreError | ClientError) -> TransientError | UsageError:
    if isinstance(error, ConnectionError | HTTPClientError):
        return TransientError(thing, str(error), "check the network and the endpoint, then retry")
    if isinstance(error, BotoCoreError):
        return UsageError(thing, str(error), "check the AWS credentials and region")
    code, message = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
    if code.startswith(_BUSY) or error.response["ResponseMetadata"]["HTTPStatusCode"] >= 500:
        return TransientError(thing, f"{code}: {message}", "retry later")
    if code.startswith(_DENIED):
        return UsageError(thing, f"{code}: {message}", "grant the access or renew the credentials")
    return UsageError(thing, f"{code}: {message}", "correct the connection")
