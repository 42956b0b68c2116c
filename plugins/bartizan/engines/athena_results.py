"""Reads the CSV object in which Athena leaves a result, in the types that Athena names.

Why the CSV and not UNLOAD to Parquet: it can hold a value of every type (Parquet tables of Athena
have none for a timestamp with a time zone), its rows keep the order of ORDER BY (those of UNLOAD do
so only within each of its files), and it needs no prefix that is empty. It has no types, but
GetQueryResults tells them; and it tells NULL (nothing) from '' (two quotes).
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from bartizan.errors import ConfigError
from bartizan.model.text import short

_WHOLE = ("tinyint", "smallint", "integer", "bigint")
_TEXT = ("varchar", "char", "unknown")  # unknown: a column that is only NULL
_LAYOUT = csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False)
_BLOCK = 64 << 20  # bytes; must hold a row, which Athena lets have 32 MB
_DIGITS = 26  # of YYYY-MM-DD hh:mm:ss.ffffff


def read_result(body: bytes, columns: Sequence[Mapping[str, Any]], origin: str) -> pa.Table:
    """Rows of a result CSV; `columns` are the ColumnInfo of GetQueryResults, in order.

    Types are those of the Engine protocol. Raises ConfigError naming `origin` and the column for
    a type that a CSV holds only as prose (array, map, row, varbinary, time, interval), and for a
    value that the type here cannot hold (year 20000, a local time that two instants have).
    """
    kinds = [_read_as(column, origin) for column in columns]
    try:
        texts = _parsed(body, kinds)
        values = [
            _converted(text, column["Type"])
            for text, column in zip(texts.columns, columns, strict=True)
        ]
    except pa.ArrowInvalid as error:
        problem = short(str(error).split("\n", maxsplit=1)[0], 300)
        raise ConfigError(
            origin, problem, "cast it to varchar, or convert it by at_timezone(…, 'UTC')"
        ) from error
    return pa.Table.from_arrays(values, names=[column["Name"] for column in columns])


def _parsed(body: bytes, kinds: Sequence[pa.DataType]) -> pa.Table:
    """Columns by their place, since names may repeat."""
    places = [str(place) for place in range(len(kinds))]
    return csv.read_csv(
        io.BytesIO(body),
        read_options=csv.ReadOptions(
            column_names=places, skip_rows_after_names=1, block_size=_BLOCK
        ),
        parse_options=_LAYOUT,
        convert_options=csv.ConvertOptions(
            column_types=dict(zip(places, kinds, strict=True)),
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
    )


def _read_as(column: Mapping[str, Any], origin: str) -> pa.DataType:
    kind = str(column["Type"])
    if kind in _WHOLE:
        return pa.int64()
    if kind == "decimal":
        return pa.decimal128(column["Precision"], column["Scale"])
    if kind in _TEXT or kind in _MOMENTS:
        return pa.string()
    if kind in _PLAIN:
        return _PLAIN[kind]
    raise ConfigError(
        origin,
        f"column {column['Name']!r} has type {kind}",
        "cast it to varchar; an array, map or row by json_format(cast(… as json))",
    )


def _converted(values: pa.ChunkedArray, kind: str) -> pa.ChunkedArray | pa.Array:
    if kind in _MOMENTS:
        return _MOMENTS[kind](values)
    return values.cast(pa.float64()) if values.type == pa.float32() else values


def _moment(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """Times to the microsecond; what Athena tells beyond that is cut off."""
    return pc.utf8_slice_codeunits(texts, 0, _DIGITS).cast(pa.timestamp("us"))


def _moment_with_zone(texts: pa.ChunkedArray) -> pa.Array:
    """UTC of `2026-11-20 10:00:00.000 Europe/Berlin`. Raises ArrowInvalid for a time that an
    end of summer time makes ambiguous."""
    parts = pc.extract_regex(texts.combine_chunks(), r"^(?P<time>\S+ \S+) (?P<zone>\S+)$")
    times, zones = _moment(pc.struct_field(parts, "time")), pc.struct_field(parts, "zone")
    moments = pa.nulls(len(times), pa.timestamp("us", "UTC"))
    for zone in pc.unique(zones.drop_null()):
        of_zone = pc.equal(zones, zone)
        local = pc.if_else(of_zone, times, pa.scalar(None, times.type))
        instants = pc.assume_timezone(local, zone.as_py())
        moments = pc.if_else(of_zone, instants.cast(moments.type), moments)
    return moments.cast(pa.timestamp("us"))


_PLAIN = {
    "boolean": pa.bool_(),
    "float": pa.float32(),
    "real": pa.float32(),
    "double": pa.float64(),
    "date": pa.date32(),
}
_MOMENTS: dict[str, Callable[[pa.ChunkedArray], pa.ChunkedArray | pa.Array]] = {
    "timestamp": _moment,
    "timestamp with time zone": _moment_with_zone,
}
