"""S3 as the mirror uses it: the objects of one bucket."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import boto3
from boto3.s3.transfer import TransferConfig

from bartizan.aws_errors import calling
from bartizan.boto import PATIENT
from bartizan.errors import UsageError

AT_A_TIME = 8  # requests; botocore keeps ten connections open
_ONE_THREAD = TransferConfig(use_threads=False)  # several files are uploaded at a time instead
_OWNER = "bartizan-mirror-of"
_MOST_KEYS = 1000  # of one DeleteObjects


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
