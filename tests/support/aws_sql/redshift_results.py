"""Rows as GetStatementResult answers them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa


def records(rows: pa.Table) -> list[list[dict[str, Any]]]:
    """Rows as lists of Fields."""
    return [[_field(value) for value in row] for row in values(rows)]


def values(rows: pa.Table) -> Iterator[tuple[Any, ...]]:
    """Rows as tuples: columns may share a name."""
    return zip(*(column.to_pylist() for column in rows.columns), strict=True)


def _field(value: Any) -> dict[str, Any]:
    if value is None:
        return {"isNull": True}
    if isinstance(value, bool):
        return {"booleanValue": value}
    if isinstance(value, int):
        return {"longValue": value}
    if isinstance(value, float):
        return {"doubleValue": value}
    return {"stringValue": str(value)}


def plain(record: list[dict[str, Any]]) -> list[Any]:
    """The values of a row's Fields."""
    return [None if "isNull" in field else next(iter(field.values())) for field in record]


def column_metadata(schema: pa.Schema) -> list[dict[str, Any]]:
    """Names and Redshift's type names of a result's columns."""
    return [
        {"name": field.name, "label": field.name, "nullable": 1, **_type(field.type)}
        for field in schema
    ]


def _type(kind: pa.DataType) -> dict[str, Any]:
    if pa.types.is_decimal(kind):
        return {"typeName": "numeric", "precision": kind.precision, "scale": kind.scale}
    if pa.types.is_timestamp(kind):
        return {"typeName": "timestamptz" if kind.tz else "timestamp"}
    names = {
        pa.int16(): "int2",
        pa.int32(): "int4",
        pa.int64(): "int8",
        pa.float32(): "float4",
        pa.float64(): "float8",
        pa.bool_(): "bool",
        pa.string(): "varchar",
        pa.date32(): "date",
        pa.time64("us"): "time",
        pa.null(): "varchar",
    }
    return {"typeName": names.get(kind, "super")}
