"""A source, a lake and a store for tests that land."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from copied import lake_at, store_at
from landing_worker import accept
from sqlalchemy import select
from upath import UPath
from waf_logs import lines, record, write_object

from bartizan.lake import planned_files
from bartizan.lake.publish import BATCH
from bartizan.lake.schemas import LANDED
from bartizan.land.run import LandReport, land
from bartizan.model.landing import BatchCounts
from bartizan.store.tables import (
    changed_hours,
    changed_objects,
    closed_hours,
    landing_batches,
    landing_objects,
)

LEDGER = (landing_batches, landing_objects, changed_objects, changed_hours, closed_hours)
START = datetime(2026, 11, 4, tzinfo=UTC)
EXPECTED = BatchCounts(records=111, requests=100, rule_hits=200, duplicates=10, quarantined=1)


class House:
    """A lake and a store in one folder, and a source: beside them, if no other is given."""

    def __init__(self, root: Path, source: Path | None = None) -> None:
        self.root = root
        self.source = source or root / "raw"
        self.source.mkdir(parents=True, exist_ok=True)
        self.lake = lake_at(root / "lake")
        self.store = store_at(self.lake.root)

    def land(self, validator: Any = None, **options: Any) -> LandReport:
        return land(
            self.store,
            self.lake,
            UPath(self.source),
            validator=validator or accept,
            workers=1,
            **options,
        )

    def rows(self, name: str) -> Counter[str]:
        """Published rows of a table as comparable text; which object they came from left out."""
        rows: Counter[str] = Counter()
        for file in planned_files(self.lake.table(name)):
            for row in _rows(file):
                for where in ("batch_id", "source_object", "source_offset"):
                    row.pop(where, None)
                rows[json.dumps(row, default=str, sort_keys=True)] += 1
        return rows

    def tables(self) -> list[Counter[str]]:
        return [self.rows(name) for name in ("waf.requests", "waf.rule_hits", "waf.quarantine")]

    def everything(self) -> dict[str, list[str]]:
        """All rows of all tables of lake and ledger with all columns, and which commits there are.

        Sorted, so that two houses are equal whatever the order in which their rows were written.
        """
        found = {}
        for name in LANDED:
            table = self.lake.table(name)
            rows = [row for file in planned_files(table) for row in _rows(file)]
            found[name] = sorted(json.dumps(row, default=str, sort_keys=True) for row in rows)
            commits = [snapshot.summary or {} for snapshot in table.snapshots()]
            found[f"{name}: commits"] = sorted(str(commit[BATCH]) for commit in commits)
        with self.store.transaction() as connection:
            for ledger in LEDGER:
                columns = [c for c in ledger.columns if c.name != "sequence"]
                rows = connection.execute(select(*columns))
                found[ledger.name] = sorted(map(str, rows))
        return found


def _rows(file: str) -> list[dict[str, Any]]:
    return pq.read_table(file, partitioning=None).to_pylist()


def fill(house: House) -> None:
    """100 records over three hours in 10 objects, one of them twice, one line damaged."""
    for index in range(10):
        numbers = range(index * 1000, index * 1000 + 1000, 100)
        content = lines(record(number) for number in numbers)
        delivered = START + timedelta(seconds=index * 1000)
        if index == 4:
            content += b'{"timestamp": 12\n'
        write_object(house.source, f"object-{index}", content, delivered)
        if index == 7:
            write_object(house.source, "again", content, delivered)
