"""The data behind a SQL service: one DuckDB database, and the S3 it reads and writes."""

from __future__ import annotations

import io
import threading
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import boto3
import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

_SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "memory_limit": "2GB",
}


class Warehouse:
    """Tables named `<schema>.<table>`, and `objects`, the S3 at `s3_endpoint`.

    Its methods take DuckDB's dialect, may be called from any thread and raise duckdb.Error.
    """

    def __init__(self, tables: Mapping[str, pa.Table], s3_endpoint: str) -> None:
        self.objects = Objects(s3_endpoint)
        self._database = duckdb.connect(config=_SETTINGS)
        self._opening = threading.Lock()
        for name, rows in tables.items():
            self.create(name, rows)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._database.close()

    def session(self) -> Session:
        """A new connection to the same tables; it has its own temporary tables."""
        with self._opening:
            return Session(self._database.cursor())

    def run(self, sql: str) -> pa.Table:
        """Rows of one statement."""
        with self.session() as session:
            return session.run(sql)

    def create(self, name: str, rows: pa.Table) -> None:
        """Makes or replaces the table `<schema>.<table>`; without a schema, in `main`."""
        with self.session() as session:
            session.create(name, rows)


class Session:
    """One connection in UTC, for one thread; `interrupt` is for the others."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection) -> None:
        self._cursor = cursor
        self._idle = threading.Event()
        self._idle.set()
        self._interrupted = False
        cursor.execute("set timezone = 'UTC'")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._cursor.close()

    def run(self, sql: str) -> pa.Table:
        """Rows of one statement; a statement without rows answers its count, or nothing at all."""
        self._idle.clear()
        try:
            if self._interrupted:
                raise duckdb.InterruptException("INTERRUPT Error: Interrupted!")
            relation = self._cursor.sql(sql)
            return pa.table({}) if relation is None else relation.to_arrow_table()
        finally:
            self._idle.set()

    def create(self, name: str, rows: pa.Table) -> None:
        """Makes or replaces the table `<schema>.<table>` with these rows."""
        schema, _, table = name.rpartition(".")
        self.run(f"create schema if not exists {quoted(schema or 'main')}")
        self._cursor.register("_loading", rows)
        target = f"{quoted(schema or 'main')}.{quoted(table)}"
        self.run(f"create or replace table {target} as select * from _loading")
        self._cursor.unregister("_loading")

    def create_temporary(self, name: str, rows: pa.Table) -> None:
        """Makes or replaces a table that only this session sees, in the schema `temp`."""
        self._cursor.register("_loading", rows)
        self.run(f"create or replace temporary table {quoted(name)} as select * from _loading")
        self._cursor.unregister("_loading")

    def interrupt(self) -> None:
        """Ends the statement that runs, and every later one. Returns when none runs any more."""
        self._interrupted = True
        while not self._idle.is_set():
            self._cursor.interrupt()  # again: one that comes before the statement starts is lost
            self._idle.wait(0.01)


class Objects:
    """S3 objects by `s3://bucket/key`."""

    def __init__(self, endpoint: str) -> None:
        self._s3: Any = boto3.client(
            "s3",
            endpoint_url=endpoint,
            region_name="us-east-1",
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
        )

    def put(self, uri: str, body: bytes) -> None:
        bucket, key = split_uri(uri)
        self._s3.put_object(Bucket=bucket, Key=key, Body=body)

    def get(self, uri: str) -> bytes:
        bucket, key = split_uri(uri)
        return bytes(self._s3.get_object(Bucket=bucket, Key=key)["Body"].read())

    def list(self, prefix: str) -> list[str]:
        """URIs of the objects that begin with `prefix`, sorted."""
        bucket, key = split_uri(prefix)
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=key)
        return [
            f"s3://{bucket}/{entry['Key']}" for page in pages for entry in page.get("Contents", [])
        ]

    def put_parquet(self, uri: str, rows: pa.Table, **options: Any) -> None:
        buffer = io.BytesIO()
        pq.write_table(rows, buffer, **options)
        self.put(uri, buffer.getvalue())

    def get_parquet(self, uri: str) -> pa.Table:
        return pq.read_table(io.BytesIO(self.get(uri)))


def split_uri(uri: str) -> tuple[str, str]:
    """Bucket and key of `s3://bucket/key`."""
    parts = urlsplit(uri)
    return parts.netloc, parts.path.removeprefix("/")


def quoted(name: str) -> str:
    """An identifier as DuckDB quotes it."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A string as DuckDB quotes it."""
    return "'" + text.replace("'", "''") + "'"
