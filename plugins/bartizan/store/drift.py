"""Schema drift: what the log records of a batch held that has no column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import delete, func, insert, select

from bartizan.model.landing import BatchState
from bartizan.model.window import format_time, parse_time
from bartizan.store.database import Store
from bartizan.store.tables import landing_batches, schema_drift


class DriftKind(StrEnum):
    """Why a value has no column: nobody knows its path, or its column holds another type."""

    UNKNOWN_FIELD = "unknown field"
    OTHER_TYPE = "value of another type"


@dataclass(frozen=True)
class Drift:
    """One path without a column: in how many records, since when, with which JSON type.

    `path` is dotted, list positions folded to `[]`; the value itself is not kept, it may be secret.
    """

    path: str
    kind: DriftKind
    json_type: str
    records: int
    first_hour: datetime


def save_drift(store: Store, batch_id: str, found: Sequence[Drift]) -> None:
    """Store the drift of a batch in place of that of an earlier staging."""
    rows = [
        {
            "batch_id": batch_id,
            "path": drift.path,
            "kind": drift.kind.value,
            "json_type": drift.json_type,
            "records": drift.records,
            "first_hour": format_time(drift.first_hour),
        }
        for drift in found
    ]
    with store.transaction() as connection:
        connection.execute(delete(schema_drift).where(schema_drift.c.batch_id == batch_id))
        if rows:
            connection.execute(insert(schema_drift), rows)


def load_drift(store: Store) -> list[Drift]:
    """Drift over all published batches, the paths with the most records first."""
    columns = schema_drift.c
    query = (
        select(
            columns.path,
            columns.kind,
            func.min(columns.json_type),
            func.sum(columns.records),
            func.min(columns.first_hour),
        )
        .join(landing_batches, landing_batches.c.batch_id == columns.batch_id)
        .where(landing_batches.c.state == BatchState.PUBLISHED)
        .group_by(columns.path, columns.kind)
        .order_by(func.sum(columns.records).desc(), columns.path)
    )
    with store.transaction() as connection:
        return [
            Drift(path, DriftKind(kind), json_type, int(records), parse_time(first))
            for path, kind, json_type, records, first in connection.execute(query)
        ]
