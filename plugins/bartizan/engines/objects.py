"""S3 objects that carry rows to and from a remote engine, by their s3:// URI."""

from __future__ import annotations

import io
from urllib.parse import urlsplit

import pyarrow as pa
import pyarrow.parquet as pq

from bartizan.engines.aws import calling, client


class Objects:
    """Single objects. Methods raise UsageError and TransientError naming the URI."""

    def __init__(self, region: str | None) -> None:
        self._s3 = client("s3", region)

    def get(self, uri: str) -> bytes:
        """All bytes of an object."""
        bucket, key = _split(uri)
        with calling(uri):
            return bytes(self._s3.get_object(Bucket=bucket, Key=key)["Body"].read())

    def put_parquet(self, uri: str, rows: pa.Table) -> None:
        """Writes rows as one Parquet object."""
        buffer = io.BytesIO()
        pq.write_table(rows, buffer)
        bucket, key = _split(uri)
        with calling(uri):
            self._s3.put_object(Bucket=bucket, Key=key, Body=buffer.getvalue())

    def remove(self, uri: str) -> None:
        """Removes an object; one that is not there is no error."""
        bucket, key = _split(uri)
        with calling(uri):
            self._s3.delete_object(Bucket=bucket, Key=key)


def _split(uri: str) -> tuple[str, str]:
    parts = urlsplit(uri)
    return parts.netloc, parts.path.removeprefix("/")
