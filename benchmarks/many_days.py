"""Many days of landed records out of one: in the lake's own layout, and in random order.

Every day has the same rows with its own times. Of the client addresses half come back every day,
the others are of that day only, so that counts of distinct ones grow as real ones do.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from ipaddress import ip_address
from itertools import chain, product
from pathlib import Path
from zlib import crc32

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from bartizan.engines.duckdb import connect
from bartizan.lake import Lake, add_files, planned_files
from bartizan.lake.batches import Batches
from bartizan.lake.compact import compact, small_files
from bartizan.lake.parquet import parquet_writer
from contenders import bartizan

TABLES = ("waf.requests", "waf.rule_hits")
_ORDER = [("webacl", "ascending"), ("client_ip", "ascending"), ("event_ms", "ascending")]
_ROW_GROUP = 32_768  # as compaction writes
_MIXED_ROWS = 60_000  # how many rows of the one day are in memory at a time
_DAY_US = 86_400_000_000


def land(source: Path, root: Path) -> Lake:
    """The objects of a day, landed and compacted."""
    bartizan(source, root, workers=2)
    lake = Lake.open(root)
    for name in TABLES:
        for small in small_files(lake, name, most_files=0):
            compact(lake, small, lambda: Batches(frozenset(), frozenset()))
    return lake


def copy_to_lake(one_day: Lake, lake: Lake, days: int) -> None:
    """The same rows on so many days, a file an hour, ordered and written as by compaction."""
    for name in TABLES:
        files = planned_files(one_day.table(name))
        target = lake.data_path(name)
        with ProcessPoolExecutor(2) as pool:
            parts = pool.map(_copy_hour, files, [target] * len(files), [days] * len(files))
            written = [file for part in parts for file in part]
        add_files(lake.table(name), written, f"{days} days")


def _copy_hour(file: str, target: Path, days: int) -> list[Path]:
    rows = pq.read_table(file, partitioning=None)
    moving = Moving.of(rows, days)
    written = []
    for day in range(days):
        moved = moving.to(np.full(len(rows), day)).sort_by(_ORDER)
        date, hour = moved["event_date"][0], moved["event_hour"][0]
        folder = target / f"event_date={date}" / f"event_hour={hour}"
        folder.mkdir(parents=True, exist_ok=True)
        written.append(folder / f"{Path(file).stem}.parquet")
        with parquet_writer(written[-1], rows.schema, store_schema=False) as writer:
            writer.write_table(moved, row_group_size=_ROW_GROUP)
    return written


def copy_unsorted(one_day: Lake, folder: Path, days: int) -> None:
    """The same rows in random order, a file a table, by pyarrow's writer as it is but for zstd.

    A row's 25 days are dealt to 25 row groups in turn, so that no group has the row twice.
    """
    folder.mkdir()
    draw = np.random.default_rng(1)
    for name in TABLES:
        parts = _shuffled(planned_files(one_day.table(name)), folder / "spilled")
        first = next(parts)
        with pq.ParquetWriter(unsorted_file(folder, name), first.schema, compression="zstd") as out:
            for rows in chain([first], parts):
                moving = Moving.of(rows, days)
                start = draw.integers(days, size=len(rows))
                for turn in range(days):
                    out.write_table(moving.to((start + turn) % days))


def unsorted_file(folder: Path, name: str) -> Path:
    return folder / f"{name}.parquet"


def _shuffled(files: Sequence[str], spilled: Path) -> Iterator[pa.Table]:
    with connect() as connection:
        connection.execute(f"set temp_directory = '{spilled}'")
        connection.execute("set memory_limit = '1GB'")
        source = f"read_parquet({list(files)}, hive_partitioning = false)"
        query = f"from {source} order by hash(record_hash), record_hash"
        for batch in connection.sql(query).to_arrow_reader(_MIXED_ROWS):
            yield pa.Table.from_batches([batch])


@dataclass(frozen=True)
class Moving:
    """Rows of one day and where they can go.

    `addresses` holds the distinct addresses of one day after the other, `places` where each row's
    address is among those of the first day, which are `distinct`.
    """

    rows: pa.Table
    addresses: pa.Array
    places: np.ndarray
    distinct: int

    @classmethod
    def of(cls, rows: pa.Table, days: int) -> Moving:
        encoded = rows["client_ip"].combine_chunks().dictionary_encode()
        distinct = encoded.dictionary.to_pylist()
        moved = [_address(address, day) for day, address in product(range(days), distinct)]
        return cls(rows, pa.array(moved), encoded.indices.to_numpy(), len(distinct))

    def to(self, days: np.ndarray) -> pa.Table:
        """The rows, each so many days later."""
        later = pa.array(days * _DAY_US).cast(pa.duration("us"))
        times = pc.add(self.rows["event_time"].cast(pa.timestamp("us")), later)
        columns = {
            "event_time": times,
            "event_date": times.cast(pa.date32()),
            "event_ms": pc.add(self.rows["event_ms"], pa.array(days * (_DAY_US // 1000))),
            "client_ip": self.addresses.take(pa.array(days * self.distinct + self.places)),
        }
        moved = [columns.get(name, self.rows[name]) for name in self.rows.column_names]
        return pa.table(moved, self.rows.schema)


def _address(address: str, day: int) -> str:
    if crc32(address.encode()) % 2:
        return address
    own = ip_address(address)
    return str(own + day * (2**17 if own.version == 4 else 2**64))  # beyond the simulated ranges
