"""Writes the rows of many files into few, sorted for the queries that follow."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import duckdb
import pyarrow as pa
from pyiceberg.schema import Schema

from bartizan.lake.parquet import parquet_writer
from bartizan.lake.view import create_view

# Those a table has. Requests of one client lie together: smaller files, and quicker to count and to
# look up by address than in order of time (docs/benchmarks.md).
_ORDER = ("bucket", "webacl", "client_ip", "event_time", "source_object", "source_offset")
_ROW_GROUP = 32_768
_MEMORY = "1GB"  # a larger sort goes to disk


def rewrite(
    schema: Schema, files: Sequence[str], folder: Path, stem: str, target_bytes: int, scratch: Path
) -> list[Path]:
    """Write the rows of `files` to `<folder>/<stem>-<n>.parquet`, each of about `target_bytes`.

    Memory is bounded: DuckDB sorts in `scratch`, a folder that is emptied first, and row groups are
    written as they come. The new files have all columns of `schema`, with their field ids.
    """
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    columns = schema.as_arrow()
    order = [name for name in _ORDER if name in columns.names]
    with duckdb.connect(
        config={"memory_limit": _MEMORY, "temp_directory": str(scratch), "threads": 1}
    ) as connection:
        connection.execute("set timezone = 'UTC'")
        create_view(connection, "rows", columns, files)
        rows = connection.sql("select * from rows order by " + ", ".join(order or ["all"]))
        written = _write(rows.to_arrow_reader(_ROW_GROUP), columns, folder, stem, target_bytes)
    shutil.rmtree(scratch, ignore_errors=True)
    return written


def _write(
    batches: pa.RecordBatchReader, columns: pa.Schema, folder: Path, stem: str, target_bytes: int
) -> list[Path]:
    written: list[Path] = []
    batch = next(batches, None)
    while batch is not None:
        file = folder / f"{stem}-{len(written)}.parquet"
        partial = file.with_name(f".{file.name}.partial")
        with (
            pa.OSFile(str(partial), "wb") as sink,
            # Without Arrow's own schema, readers see the types of the files that landing writes.
            parquet_writer(sink, columns, store_schema=False) as writer,
        ):
            while batch is not None and sink.tell() < target_bytes:
                writer.write_table(pa.Table.from_batches([batch]).cast(columns))
                batch = next(batches, None)
        partial.rename(file)
        written.append(file)
    return written
