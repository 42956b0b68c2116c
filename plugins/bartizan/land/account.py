"""Counts what becomes of every record, for the batch and for each of its objects."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from bartizan.model.landing import BatchCounts, LogObject, ObjectCounts


class Account:
    """Per object: records framed, requests written, duplicates left out, pieces quarantined."""

    def __init__(self) -> None:
        self.records: Counter[str] = Counter()
        self.requests: Counter[str] = Counter()
        self.duplicates: Counter[str] = Counter()
        self.quarantined: Counter[str] = Counter()

    def of_objects(self, objects: Sequence[LogObject]) -> list[ObjectCounts]:
        """One line per object; each adds up."""
        counts = [
            ObjectCounts(
                item.uri,
                self.records[item.uri],
                self.requests[item.uri],
                self.duplicates[item.uri],
                self.quarantined[item.uri],
            )
            for item in objects
        ]
        for one in counts:
            accounted = one.requests + one.duplicates + one.quarantined
            assert one.records == accounted, f"{one.uri}: {accounted} of {one.records} records"
        return counts

    def of_batch(self, rule_hits: int) -> BatchCounts:
        return BatchCounts(
            records=self.records.total(),
            requests=self.requests.total(),
            rule_hits=rule_hits,
            duplicates=self.duplicates.total(),
            quarantined=self.quarantined.total(),
        )


def per_object_in(file: Path) -> Counter[str]:
    """How many rows of a Parquet file come from each object."""
    return per_object(pq.read_table(file, columns=["source_object"], partitioning=None))


def per_object(rows: pa.Table) -> Counter[str]:
    """How many of the rows come from each object."""
    counted = pc.value_counts(rows.column("source_object").combine_chunks())
    return Counter(
        dict(zip(counted.field(0).to_pylist(), counted.field(1).to_pylist(), strict=True))
    )
