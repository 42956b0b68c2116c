"""The Parquet files that Redshift unloads: those whose keys begin with one prefix."""

from __future__ import annotations

import io
from urllib.parse import urlsplit

import pyarrow as pa
import pyarrow.parquet as pq

from bartizan.engines.aws import calling
from bartizan.engines.objects import Objects


class Files(Objects):
    """Objects, single or by an s3:// prefix."""

    def read_unloaded(self, prefix: str) -> list[pa.Table]:
        """Each Parquet file of an UNLOAD to `prefix`, in the order of names; none without rows."""
        files = [self.get(uri) for uri in self.list(prefix) if uri.endswith(".parquet")]
        # Redshift writes instants as INT96, which would be read in nanoseconds.
        return [pq.read_table(io.BytesIO(f), coerce_int96_timestamp_unit="us") for f in files]

    def remove_all(self, prefix: str) -> None:
        """Removes every object that begins with `prefix`."""
        for uri in self.list(prefix):
            self.remove(uri)

    def list(self, prefix: str) -> list[str]:
        """URIs of the objects that begin with `prefix`, sorted."""
        parts = urlsplit(prefix)
        pages = self._s3.get_paginator("list_objects_v2").paginate(
            Bucket=parts.netloc, Prefix=parts.path.removeprefix("/")
        )
        with calling(prefix):
            keys = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
        return [f"s3://{parts.netloc}/{key}" for key in keys]
