"""S3 as the mirror uses it: the objects of one bucket, and errors that say what to do."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import BotoCoreError, ClientError, ConnectionError, HTTPClientError

from bartizan.boto import PATIENT
from bartizan.errors import TransientError, UsageError

AT_A_TIME = 8  # requests; botocore keeps ten connections open
_ONE_THREAD = TransferConfig(use_threads=False)  # several files are uploaded at a time instead
_OWNER = "bartizan-mirror-of"
_MOST_KEYS = 1000  # of one DeleteObjects

_BUSY = ("Throttling", "TooManyRequests", "SlowDown", "RequestLimitExceeded", "RequestTimeout")
_MISSING = ("NoSuchBucket", "404", "NotFound")
_ELSEWHERE = ("301", "PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocation")


def client(service: str) -> Any:
    """A boto3 client that retries; its endpoint follows AWS_ENDPOINT_URL and _<SERVICE>."""
    with calling(service):
        return boto3.client(service, config=PATIENT)


@dataclass(frozen=True)
class Stored:
    """An object as the bucket lists it."""

    bytes: int
    modified: datetime


class Bucket:
    """One bucket, for any thread. Methods raise UsageError and TransientError that name it."""

    def __init__(self, name: str) -> None:
        self._name, self._uri, self._s3 = name, f"s3://{name}", client("s3")

    def check(self) -> None:
        """Raises UsageError unless the bucket exists and may be used from here."""
        with calling(self._uri):
            self._s3.head_bucket(Bucket=self._name)

    def stored(self, prefix: str) -> dict[str, Stored]:
        """All objects whose keys begin so, by key."""
        with calling(f"{self._uri}/{prefix}"):
            pages = self._s3.get_paginator("list_objects_v2").paginate(
                Bucket=self._name, Prefix=prefix
            )
            return {
                entry["Key"]: Stored(entry["Size"], entry["LastModified"])
                for page in pages
                for entry in page.get("Contents", ())
            }

    def upload(self, path: Path, key: str, owner: str) -> None:
        """Writes a local file as one object, which appears whole or not at all."""
        with path.open("rb") as file, calling(f"{self._uri}/{key}"):
            self._s3.upload_fileobj(
                file,
                self._name,
                key,
                ExtraArgs={"Metadata": {_OWNER: owner}},
                Config=_ONE_THREAD,
            )

    def owned(self, keys: Collection[str], owner: str) -> set[str]:
        """Those of the objects that were uploaded for this owner."""
        with ThreadPoolExecutor(AT_A_TIME) as pool:
            owners = pool.map(self._owner, keys)
            return {key for key, found in zip(keys, owners, strict=True) if found == owner}

    def _owner(self, key: str) -> str | None:
        with calling(f"{self._uri}/{key}"):
            head = self._s3.head_object(Bucket=self._name, Key=key)
            return dict(head["Metadata"]).get(_OWNER)

    def delete(self, keys: Sequence[str]) -> None:
        """Deletes objects; one that is not there is no error."""
        for first in range(0, len(keys), _MOST_KEYS):
            some = [{"Key": key} for key in keys[first : first + _MOST_KEYS]]
            with calling(self._uri):
                answer = self._s3.delete_objects(
                    Bucket=self._name, Delete={"Objects": some, "Quiet": True}
                )
            for error in answer.get("Errors", ()):
                raise UsageError(
                    f"{self._uri}/{error['Key']}",
                    f"was not deleted: {error['Code']}",
                    "allow s3:DeleteObject",
                )


@contextmanager
def calling(thing: str) -> Iterator[None]:
    """Turns errors of AWS calls about `thing` into TransientError (busy, unreachable), UsageError.

    Those that s3fs has wrapped in an OSError too.
    """
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise _translated(thing, error) from error
    except OSError as error:
        if isinstance(error.__cause__, BotoCoreError | ClientError):
            raise _translated(thing, error.__cause__) from error
        raise


def _translated(thing: str, error: BotoCoreError | ClientError) -> TransientError | UsageError:
    if isinstance(error, ConnectionError | HTTPClientError):
        return TransientError(thing, str(error), "check the network and the endpoint, then retry")
    if isinstance(error, BotoCoreError):
        return UsageError(thing, str(error), "check the AWS credentials and region")
    code, message = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
    status = error.response["ResponseMetadata"].get("HTTPStatusCode", 0)
    if code.startswith(_BUSY) or status >= 500:
        return TransientError(thing, f"{code}: {message}", "retry later")
    return UsageError(thing, f"{code}: {message}", _remedy(code, status))


def _remedy(code: str, status: int) -> str:
    if code in _MISSING:
        return "no such bucket: create it, or correct its name"
    if code.startswith(_ELSEWHERE):
        return "the bucket is in another region: set AWS_DEFAULT_REGION to it"
    if status in (401, 403):
        return "renew the credentials, or allow them to list and read (to mirror: docs/lake.md)"
    return "correct the target or the rights"
