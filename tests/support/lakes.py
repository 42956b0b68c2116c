"""Small lakes for tests: rows given sparsely, landed the way landing does it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from copied import lake_at, store_at

from bartizan.engines import DuckDBEngine
from bartizan.lake import Lake, add_files
from bartizan.lake.schemas import LANDED
from bartizan.model.ids import digest
from bartizan.model.landing import Batch, LogObject
from bartizan.model.window import aware
from bartizan.store import Store
from bartizan.store.landing import add_batches, finish

DEFAULTS = {
    "account_id": "111122223333",
    "region": "eu-west-1",
    "webacl": "shop",
    "action": "ALLOW",
    "client_ip": "192.0.2.1",
}


@dataclass(frozen=True)
class SmallLake:
    lake: Lake
    store: Store
    engine: DuckDBEngine

    @classmethod
    def open(cls, folder: Path) -> SmallLake:
        lake = lake_at(folder / "lake")
        return cls(lake, store_at(lake.root), DuckDBEngine(lake))

    def land(self, name: str, **tables: pa.Table) -> Batch:
        """Land `requests=...`, `rule_hits=...` as the batch of one object called `name`."""
        batch = Batch.of([LogObject(f"file:///raw/{name}", "1", 1)])
        add_batches(self.store, [batch])
        hours = {
            hour for table, rows in tables.items() for hour in self._add(table, rows, batch.id)
        }
        finish(self.store, batch, hours)
        return batch

    def _add(self, table: str, rows: pa.Table, batch_id: str) -> set[datetime]:
        files, hours = [], pc.floor_temporal(rows["event_time"], unit="hour")
        for hour in pc.unique(hours).to_pylist():
            folder = self.lake.data_path(f"waf.{table}") / f"event_date={hour:%Y-%m-%d}"
            folder = folder / f"event_hour={hour.hour}"
            folder.mkdir(parents=True, exist_ok=True)
            files.append(folder / f"{batch_id}.parquet")
            pq.write_table(rows.filter(pc.equal(hours, pa.scalar(hour, hours.type))), files[-1])
        add_files(self.lake.table(f"waf.{table}"), files, batch_id)
        return {aware(hour) for hour in pc.unique(hours).to_pylist()}


def landed(table: str, rows: Iterable[Mapping[str, Any]]) -> pa.Table:
    """Rows of `waf.<table>` from the columns given; the rest is a default or NULL."""
    schema = LANDED[f"waf.{table}"].schema
    return pa.Table.from_pylist([_whole(row, schema) for row in rows], schema=schema)


def _whole(row: Mapping[str, Any], schema: pa.Schema) -> dict[str, Any]:
    if unknown := sorted(set(row) - set(schema.names)):
        raise KeyError(f"no column {unknown[0]!r}")
    time = row["event_time"].replace(tzinfo=None)
    derived = {
        "event_ms": int(time.replace(tzinfo=UTC).timestamp() * 1000),
        "event_date": time.date(),
        "event_hour": time.hour,
        "record_hash": int(digest([sorted(row.items(), key=str)], 12), 16),
    }
    known = {name: value for name, value in DEFAULTS.items() if name in schema.names}
    return known | derived | dict(row) | {"event_time": time}


def requests(times: Sequence[datetime], **columns: Any) -> pa.Table:
    """One request at each of the times, all with the same columns."""
    return landed("requests", ({"event_time": time, **columns} for time in times))
