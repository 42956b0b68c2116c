"""Which Arrow type a column of PostgreSQL answers with, and which column a given one becomes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

import pyarrow as pa
from psycopg import Column
from psycopg.postgres import types

from bartizan.errors import ConfigError

TIME = pa.timestamp("us")
INSTANT = pa.timestamp("us", "UTC")  # as read of a timestamptz; answered as TIME

_BY_NAME: dict[pa.DataType, tuple[str, ...]] = {
    pa.bool_(): ("bool",),
    pa.int64(): ("int2", "int4", "int8", "oid"),
    pa.float64(): ("float4", "float8"),
    pa.date32(): ("date",),
    TIME: ("timestamp",),
    INSTANT: ("timestamptz",),
    pa.string(): (
        *("text", "varchar", "bpchar", "name", '"char"'),
        *("uuid", "json", "jsonb", "inet", "cidr", "macaddr"),
    ),
}
_ANSWERS = {types[name].oid: answer for answer, names in _BY_NAME.items() for name in names}
_NUMERIC = types["numeric"].oid
_DIGITS_OF_ARROW = 38

_STORED: tuple[tuple[Callable[[pa.DataType], bool], str], ...] = (
    (pa.types.is_boolean, "bool"),
    (pa.types.is_integer, "int8"),
    (pa.types.is_floating, "float8"),
    (pa.types.is_date, "date"),
    (pa.types.is_string, "text"),
    (pa.types.is_large_string, "text"),
    (pa.types.is_null, "text"),
)


def made_here(columns: Sequence[Column]) -> list[int]:
    """Codes of types that PostgreSQL did not come with, such as an enum."""
    return [one.type_code for one in columns if types.get(one.type_code) is None]


def answered(
    columns: Sequence[Column], texts: Collection[int], origin: str
) -> dict[str, pa.DataType]:
    """Types by column name, in order; `texts` are the codes of made types that are text.

    Raises ConfigError naming a column whose type no engine answers, or which is there twice.
    """
    found: dict[str, pa.DataType] = {}
    for column in columns:
        if column.name in found:
            raise ConfigError(origin, f"column {column.name!r} is there twice", "rename one")
        found[column.name] = pa.string() if column.type_code in texts else _answered(column, origin)
    if not found:
        raise ConfigError(origin, "answers no column", "select at least one")
    return found


def _answered(column: Column, origin: str) -> pa.DataType:
    if column.type_code == _NUMERIC:
        return _decimal(column, origin)
    if column.type_code not in _ANSWERS:
        raise ConfigError(
            origin,
            f"column {column.name!r} has type {column.type_display}, which no engine answers",
            "cast it to text or to a number",
        )
    return _ANSWERS[column.type_code]


def _decimal(column: Column, origin: str) -> pa.DataType:
    """Raises ConfigError for a numeric of no fixed precision, such as the sum of a bigint: a scale
    chosen by the rows at hand would differ from window to window."""
    precision, scale = column.precision, column.scale
    if precision is None or scale is None:
        raise ConfigError(
            origin,
            f"column {column.name!r} is numeric without a precision",
            "cast it to bigint, decimal(18, 2) or double precision",
        )
    if precision > _DIGITS_OF_ARROW or not 0 <= scale <= precision:
        raise ConfigError(
            origin,
            f"column {column.name!r} is numeric({precision}, {scale})",
            f"cast it to a decimal of at most {_DIGITS_OF_ARROW} digits",
        )
    return pa.decimal128(precision, scale)


def stored(field: pa.Field, origin: str) -> str:
    """The type of a temporary table's column. Raises ConfigError for what cannot be one."""
    kind = field.type
    if pa.types.is_decimal(kind):
        return f"numeric({kind.precision}, {kind.scale})"
    if pa.types.is_timestamp(kind):
        return "timestamp" if kind.tz is None else "timestamptz"
    for holds, spelled in _STORED:
        if holds(kind):
            return spelled
    raise ConfigError(origin, f"given column {field.name!r} is {kind}", "give numbers or text")
