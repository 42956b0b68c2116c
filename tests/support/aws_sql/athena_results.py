"""Result files as Athena writes them, and the types it names."""

from __future__ import annotations

import io
import math
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

_TYPES = {
    pa.bool_(): "boolean",
    pa.int8(): "tinyint",
    pa.int16(): "smallint",
    pa.int32(): "integer",
    pa.int64(): "bigint",
    pa.float32(): "float",
    pa.float64(): "double",
    pa.date32(): "date",
    pa.string(): "varchar",
    pa.null(): "unknown",
}


def csv_bytes(rows: pa.Table) -> bytes:
    """Every value in quotes, NULL an empty field without them, a header."""
    texts = pa.table([_texts(column) for column in rows.columns], names=rows.column_names)
    buffer = io.BytesIO()
    csv.write_csv(texts, buffer, csv.WriteOptions(quoting_style="all_valid"))
    return buffer.getvalue()


def text_bytes(rows: pa.Table, delimiter: str) -> bytes:
    """Lines as Hive writes a text file: no quotes, a NULL is \\N."""
    texts = [_texts(column).to_pylist() for column in rows.columns]
    lines = (
        delimiter.join("\\N" if text is None else text for text in row)
        for row in zip(*texts, strict=True)
    )
    return "".join(f"{line}\n" for line in lines).encode()


def data_rows(rows: pa.Table, start: int, stop: int) -> list[dict[str, Any]]:
    """Rows as GetQueryResults returns them: a NULL has no VarCharValue."""
    texts = [_texts(column).to_pylist() for column in rows.slice(start, stop - start).columns]
    return [
        {"Data": [{} if text is None else {"VarCharValue": text} for text in row]}
        for row in zip(*texts, strict=True)
    ]


def column_info(rows: pa.Table) -> list[dict[str, Any]]:
    """ColumnInfo of each column."""
    return [_info(field) for field in rows.schema]


def _info(field: pa.Field) -> dict[str, Any]:
    precision, scale = 0, 0
    if pa.types.is_decimal(field.type):
        precision, scale = field.type.precision, field.type.scale
    return {
        "CatalogName": "hive",
        "SchemaName": "",
        "TableName": "",
        "Name": field.name,
        "Label": field.name,
        "Type": type_name(field.type),
        "Precision": precision,
        "Scale": scale,
        "Nullable": "UNKNOWN",
        "CaseSensitive": pa.types.is_string(field.type),
    }


def type_name(kind: pa.DataType) -> str:
    """Athena's name for the type of a result column."""
    if pa.types.is_timestamp(kind):
        return "timestamp" if kind.tz is None else "timestamp with time zone"
    if kind in _TYPES:
        return _TYPES[kind]
    if pa.types.is_decimal(kind):
        return "decimal"
    if pa.types.is_list(kind):
        return "array"
    return {"struct": "row", "map": "map", "binary": "varbinary"}.get(
        str(kind).split("<")[0], "varchar"
    )


def _texts(column: pa.ChunkedArray) -> pa.ChunkedArray:
    kind = column.type
    if pa.types.is_string(kind):
        return column
    if pa.types.is_timestamp(kind):
        # Six digits: timestamp(6), that of Iceberg's columns and of our literals.
        zone = "" if kind.tz is None else " UTC"
        plain = column.cast(pa.timestamp("us", kind.tz))
        return pc.strftime(plain, f"%Y-%m-%d %H:%M:%S{zone}")
    if pa.types.is_floating(kind):
        return pa.chunked_array([[_java(value) for value in column.to_pylist()]], pa.string())
    if pa.types.is_nested(kind) or pa.types.is_binary(kind):
        texts = [None if value is None else _nested(value) for value in column.to_pylist()]
        return pa.chunked_array([texts], pa.string())
    return column.cast(pa.string())


def _java(number: float | None) -> str | None:
    """A double as Java prints it: 1.0, 1.0E10, NaN, Infinity."""
    if number is None:
        return None
    if math.isnan(number):
        return "NaN"
    if math.isinf(number):
        return "Infinity" if number > 0 else "-Infinity"
    if number == 0 or 1e-3 <= abs(number) < 1e7:
        return repr(number)
    mantissa, _, exponent = f"{Decimal(repr(number)).normalize():E}".partition("E")
    return f"{mantissa if '.' in mantissa else mantissa + '.0'}E{int(exponent)}"


def _nested(value: Any) -> str:
    if isinstance(value, bytes):
        return value.hex(" ")
    if isinstance(value, list):
        return f"[{', '.join(map(_nested, value))}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}={_nested(item)}" for key, item in value.items()) + "}"
    return "null" if value is None else str(value)
