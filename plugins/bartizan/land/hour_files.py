"""Writes the rows of a batch as one Parquet file per hour, under its final name only when whole."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bartizan.lake import Lake
from bartizan.lake.parquet import numbered, parquet_writer
from bartizan.lake.staged import staged_file

_HOUR_MS = 3_600_000
_HELD_BYTES = 48 * 1024**2  # of rows in memory before they are written out as row groups
_MOST_OPEN = 200  # files; systems commonly allow a process 1,024


class HourFiles:
    """Collects rows of one table and batch; `close` makes the files appear.

    Rows come in order of hour. Until `close`, what was written has a temporary name.
    """

    def __init__(self, lake: Lake, name: str, batch_id: str, schema: pa.Schema) -> None:
        self._lake, self._name, self._batch_id = lake, name, batch_id
        self._schema = numbered(schema, lake.table(name).schema())
        self._held: dict[int, list[pa.Table]] = defaultdict(list)
        self._held_bytes = 0
        self._writers: dict[int, pq.ParquetWriter] = {}
        self.rows = 0

    def add(self, rows: pa.Table) -> None:
        """Take rows whose event_ms are in order of hour."""
        hours = rows.column("event_ms").to_numpy() // _HOUR_MS
        cuts = [0, *(np.flatnonzero(np.diff(hours)) + 1).tolist(), len(hours)]
        for start, end in pairwise(cuts):
            if end > start:
                self._held[int(hours[start])].append(rows.slice(start, end - start))
        self.rows += rows.num_rows
        self._held_bytes += rows.nbytes
        if self._held_bytes > _HELD_BYTES:
            self._write()

    def close(self) -> None:
        """Write what is left and give every file its final name."""
        for hour in [hour for hour in self._held if hour not in self._writers]:
            write_file(self._file(hour), pa.concat_tables(self._held.pop(hour)), self._schema)
        self._write()
        for hour, writer in self._writers.items():
            writer.close()
            file = self._file(hour)
            _partial(file).rename(file)

    def _write(self) -> None:
        """Write what is held as a row group each; the largest hours, if they are very many."""
        for hour in sorted(self._held, key=self._bytes, reverse=True):
            if hour not in self._writers:
                if len(self._writers) == _MOST_OPEN:
                    continue
                partial = _partial(self._file(hour))
                partial.parent.mkdir(parents=True, exist_ok=True)
                self._writers[hour] = parquet_writer(partial, self._schema)
            self._writers[hour].write_table(pa.concat_tables(self._held.pop(hour)))
        self._held_bytes = sum(map(self._bytes, self._held))

    def _bytes(self, hour: int) -> int:
        return sum(part.nbytes for part in self._held[hour])

    def _file(self, hour: int) -> Path:
        instant = datetime.fromtimestamp(hour * 3600, UTC)
        return staged_file(self._lake, self._name, self._batch_id, instant)


def write_file(file: Path, rows: pa.Table, schema: pa.Schema) -> None:
    """One whole file, or none if the process dies on the way. `schema` has the field ids."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with parquet_writer(_partial(file), schema) as writer:
        writer.write_table(rows)
    _partial(file).rename(file)


def _partial(file: Path) -> Path:
    return file.with_name(f".{file.name}.partial")
