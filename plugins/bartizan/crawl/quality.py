"""Data quality of what was written, by the metrics that Lookout for Metrics gave.

ROWS_PROCESSED, ROWS_PARTIAL_COMPLIANCE, INVALID_ROWS_COMPLIANCE, COLUMN_COMPLETENESS,
DIMENSION_UNIQUENESS and TIME_SERIES_COUNT.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from upath import UPath

from bartizan.model.connector import Connector


@dataclass(frozen=True)
class Quality:
    """Of `rows`, `invalid` have no value at all and `partial` lack a value or a dimension.

    `filled` counts the rows with a value by column, `distinct` the values by dimension, `series`
    the combinations of dimension values times the measures.
    """

    rows: int
    partial: int
    invalid: int
    filled: dict[str, int]
    distinct: dict[str, int]
    series: int

    def as_json(self) -> dict[str, Any]:
        return {
            "rows": self.rows,
            "partial": self.partial,
            "invalid": self.invalid,
            "completeness": {
                name: round(count / self.rows, 6) if self.rows else None
                for name, count in self.filled.items()
            },
            "distinct": self.distinct,
            "series": self.series,
        }


def quality(fields: pa.Table, connector: Connector) -> Quality:
    """Quality of CSV fields by column; an empty field is no value."""
    empty = {name: pc.equal(fields[name], "") for name in connector.columns}
    no_value = reduce(pc.and_, (empty[name] for name in connector.value_columns))
    lacking = reduce(pc.or_, empty.values())
    invalid = _count(no_value)
    return Quality(
        rows=fields.num_rows,
        partial=_count(lacking) - invalid,
        invalid=invalid,
        filled={name: fields.num_rows - _count(flags) for name, flags in empty.items()},
        distinct={name: combinations(fields, [name]) for name in connector.dimensions},
        series=combinations(fields, connector.dimensions) * len(connector.measures),
    )


def combinations(rows: pa.Table, columns: Sequence[str]) -> int:
    """Number of distinct rows in some columns; in none of them there is one, if any."""
    if not columns:
        return min(int(rows.num_rows), 1)
    return int(rows.group_by(list(columns)).aggregate([]).num_rows)


def _count(flags: pa.ChunkedArray) -> int:
    return int(pc.sum(flags).as_py() or 0)


def latest_quality(metrics: UPath, connector: Connector) -> dict[str, Any] | None:
    """Quality of the last UTC day with live intervals, None before the first one.

    Rows are summed, shares are of all rows; of distinct values and series it is the most that an
    interval had. `undelivered` intervals are those for which the source had nothing at all.
    """
    live = metrics / connector.name / "live"
    days = sorted(path.name for path in live.iterdir()) if live.is_dir() else []
    if not days:
        return None
    manifests = [
        json.loads(path.read_text()) for path in (live / days[-1]).glob("*/_manifest.json")
    ]
    found = [one["quality"] for one in manifests if "quality" in one]
    rows = sum(one["rows"] for one in found)
    return {
        "day": days[-1],
        "intervals": len(manifests),
        "undelivered": sum(one.get("delivered") == [] for one in manifests),
        "rows": rows,
        "partial": sum(one["partial"] for one in found),
        "invalid": sum(one["invalid"] for one in found),
        "completeness": {name: _share(found, name, rows) for name in connector.columns},
        "distinct": {
            name: max((one["distinct"].get(name, 0) for one in found), default=0)
            for name in connector.dimensions
        },
        "series": max((one["series"] for one in found), default=0),
    }


def _share(found: Sequence[Mapping[str, Any]], name: str, rows: int) -> float | None:
    """The part of all rows that have a value in a column."""
    filled = sum((one["completeness"].get(name) or 0.0) * one["rows"] for one in found)
    return round(filled / rows, 6) if rows else None
