"""Recognises records that arrived before, in the same batch or in one that is published.

`record_hash` is a hash of the whole record, so of its web ACL, request id and client too. Together
with `event_ms` it identifies a record: two records that differ would have to share the millisecond
and 64 bits that nobody can foresee (land/identity.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bartizan.engines.duckdb import connect
from bartizan.lake import Lake, planned_files
from bartizan.lake.staged import hour_of, staged_files
from bartizan.land.framing import Ints
from bartizan.land.hour_files import write_file
from bartizan.model.window import HOUR, Window

KEY = ("event_ms", "record_hash")
_KEYS = pa.schema([("event_ms", pa.int64()), ("record_hash", pa.int64())])


class Seen:
    """The keys of a batch so far."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self._keys = [_KEYS.empty_table()]

    def first_of_each(self, rows: pa.Table) -> pa.Table:
        """The rows whose key is new, the first row of each key; `rows` itself if all are."""
        together = pa.concat_tables([*self._keys, rows.select(list(KEY))])
        if _repeats(together["record_hash"].to_numpy()):
            rows = rows.take(self._new(rows))
        self._keys.append(rows.select(list(KEY)))
        return rows

    def _new(self, rows: pa.Table) -> pa.ChunkedArray:
        """Where the first row of each new key is."""
        self._connection.register("keys", _numbered_keys(rows))
        self._connection.register("seen", pa.concat_tables(self._keys))
        new = self._connection.sql("""
            select min(position) as position
            from keys anti join seen using (event_ms, record_hash)
            group by event_ms, record_hash
            order by position
        """).to_arrow_table()
        self._connection.unregister("keys")
        self._connection.unregister("seen")
        return new["position"]


def arrived_before(lake: Lake, batch_id: str) -> pa.Table:
    """Keys of the batch's staged requests that another batch has published already."""
    staged = staged_files(lake, "waf.requests", batch_id)
    if not staged:
        return _KEYS.empty_table()
    hours = {hour_of(file) for file in staged}
    window = Window(min(hours), max(hours) + HOUR)
    published = [
        file
        for file in planned_files(lake.table("waf.requests"), window)
        if hour_of(Path(file)) in hours and not Path(file).name.startswith(batch_id)
    ]
    if not published:
        return _KEYS.empty_table()
    with connect() as connection:
        return connection.sql(
            """
            select event_ms, record_hash from read_parquet($staged, hive_partitioning = false)
            intersect
            select event_ms, record_hash from read_parquet($published, hive_partitioning = false)
            """,
            params={"staged": [str(file) for file in staged], "published": published},
        ).to_arrow_table()


def without(arrived: pa.Table, files: Sequence[Path]) -> list[Path]:
    """Files with the rows of `files` whose key is not in `arrived`: the files themselves where
    nothing is to be left out, copies beside them elsewhere, none where nothing is left.
    """
    return [kept for file in files if (kept := _without(arrived, file)) is not None]


def _without(arrived: pa.Table, file: Path) -> Path | None:
    if not len(arrived):
        return file
    rows = pq.read_table(file, partitioning=None)
    with connect() as connection:
        connection.register("arrived", arrived)
        connection.register("keys", _numbered_keys(rows))
        kept = connection.sql("""
            select position from keys anti join arrived using (event_ms, record_hash)
            order by position
        """).to_arrow_table()
    if len(kept) == len(rows):
        return file
    if not len(kept):
        return None
    copy = file.with_name(f"{file.stem}-unique.parquet")
    write_file(copy, rows.take(kept.column("position")), rows.schema)
    return copy


def _repeats(hashes: Ints) -> bool:
    """Whether some hash is there twice. Mostly none is, and nothing needs to be asked in SQL."""
    ordered = np.sort(hashes)
    return bool((ordered[1:] == ordered[:-1]).any())


def _numbered_keys(rows: pa.Table) -> pa.Table:
    return rows.select(list(KEY)).append_column("position", pa.array(np.arange(len(rows))))
