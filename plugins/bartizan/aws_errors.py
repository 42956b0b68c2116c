"""Errors of AWS in words that say what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError, ConnectionError, HTTPClientError

from bartizan.errors import TransientError, UsageError

_BUSY = ("Throttling", "TooManyRequests", "SlowDown", "RequestLimitExceeded", "RequestTimeout")
_MISSING = ("NoSuchBucket", "404", "NotFound")
_ELSEWHERE = ("301", "PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocation")


Remedy = Callable[[str, int], str]  # by the code and the HTTP status of an answer


def of_folder(code: str, status: int) -> str:
    """What helps where a folder in S3 is read or written."""
    if code in _MISSING:
        return "no such bucket: create it, or correct its name"
    if code.startswith(_ELSEWHERE):
        return "the bucket is in another region: set AWS_DEFAULT_REGION to it"
    if status in (401, 403):
        return "renew the credentials, or allow them to list and read (to mirror: docs/lake.md)"
    return "correct the target or the rights"


@contextmanager
def calling(thing: str, remedy: Remedy = of_folder) -> Iterator[None]:
    """Turns errors of AWS calls about `thing` into TransientError (busy, unreachable), UsageError.

    Those that s3fs has wrapped in an OSError too.
    """
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise _translated(thing, error, remedy) from error
    except OSError as error:
        if isinstance(error.__cause__, BotoCoreError | ClientError):
            raise _translated(thing, error.__cause__, remedy) from error
        raise


def _translated(
    thing: str, error: BotoCoreError | ClientError, remedy: Remedy
) -> TransientError | UsageError:
    if isinstance(error, ConnectionError | HTTPClientError):
        return TransientError(thing, str(error), "check the network and the endpoint, then retry")
    if isinstance(error, BotoCoreError):
        return UsageError(thing, str(error), "check the AWS credentials and region")
    code, message = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
    status = error.response["ResponseMetadata"].get("HTTPStatusCode", 0)
    if code.startswith(_BUSY) or status >= 500:
        return TransientError(thing, f"{code}: {message}", "retry later")
    return UsageError(thing, f"{code}: {message}", remedy(code, status))
