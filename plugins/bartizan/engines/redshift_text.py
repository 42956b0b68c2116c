"""The statements that Redshift is sent for a query, and its types in Arrow's words."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from bartizan.errors import ConfigError

_ROW_LIMIT = re.compile(r"\b(?:limit|top|offset)\b", re.IGNORECASE)
_INSTANT = pa.timestamp("us")
_ARROW = {
    "int2": pa.int64(),
    "int4": pa.int64(),
    "int8": pa.int64(),
    "float4": pa.float64(),
    "float8": pa.float64(),
    "bool": pa.bool_(),
    "varchar": pa.string(),
    "bpchar": pa.string(),
    "text": pa.string(),
    "unknown": pa.string(),  # a bare literal
    "date": pa.date32(),
    "timestamp": _INSTANT,
    "timestamptz": _INSTANT,
}

_GIVEN: tuple[tuple[Callable[[pa.DataType], bool], str, pa.DataType], ...] = (
    (pa.types.is_boolean, "boolean", pa.bool_()),
    (pa.types.is_integer, "bigint", pa.int64()),
    (pa.types.is_floating, "double precision", pa.float64()),
    (pa.types.is_date, "date", pa.date32()),
    (pa.types.is_timestamp, "timestamp", _INSTANT),
    (pa.types.is_string, "varchar(65535)", pa.string()),
    (pa.types.is_large_string, "varchar(65535)", pa.string()),
    (pa.types.is_null, "varchar(65535)", pa.string()),
)


@dataclass(frozen=True)
class Given:
    """A table that exists only for one query: its columns as SQL, and the object of its rows."""

    name: str
    columns: str
    uri: str


def statements(query: str, prefix: str, role: str, given: Sequence[Given] = ()) -> list[str]:
    """What runs a query, in one session and one transaction: its types, its rows, their number.

    The rows are unloaded to `prefix`.
    """
    query = query.strip().rstrip(";")
    return [
        *(f"create temporary table {name(table.name)} ({table.columns})" for table in given),
        *(
            f"copy {name(table.name)} from {literal(table.uri)} iam_role {_role(role)}"
            " format as parquet"
            for table in given
        ),
        f"select * from (\n{query}\n) as typed limit 0",
        unload(query, prefix, role),
        "select pg_last_unload_count()",
        *(f"drop table {name(table.name)}" for table in given),
    ]


def unload(query: str, prefix: str, role: str) -> str:
    """An UNLOAD of the rows of `query` to Parquet files whose keys begin with `prefix`.

    UNLOAD refuses a LIMIT that is outermost, so one is put inside; such rows keep no order.
    """
    if _ROW_LIMIT.search(query):
        query = f"select * from (\n{query}\n) as limited"
    return (
        f"unload ({literal(query)}) to {literal(prefix)} iam_role {_role(role)}"
        " format as parquet parallel off allowoverwrite"
    )


def unload_prefix(statement: str) -> str | None:
    """Where a statement made by `unload` puts its files; None for any other."""
    if not statement.startswith("unload ('"):
        return None
    # What follows the query is ours and has no quotes inside: the last `) to '` is the one.
    return statement.rpartition(") to '")[2].partition("'")[0]


def literal(text: str) -> str:
    """A string literal. Redshift reads `\\` in one as an escape, as PostgreSQL did before 9.1."""
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def name(identifier: str) -> str:
    """A quoted identifier."""
    return '"' + identifier.replace('"', '""') + '"'


def _role(role: str) -> str:
    return role if role == "default" else literal(role)


def result_schema(columns: Sequence[Mapping[str, Any]], origin: str) -> pa.Schema:
    """The Arrow schema of a result, from the Data API's ColumnMetadata.

    Raises ConfigError naming the first column of a type that no table of the project can hold.
    """
    return pa.schema([(column["name"], _arrow_type(column, origin)) for column in columns])


def _arrow_type(column: Mapping[str, Any], origin: str) -> pa.DataType:
    kind = column["typeName"]
    if kind == "numeric":
        return pa.decimal128(column["precision"], column["scale"])
    if kind not in _ARROW:
        raise ConfigError(
            origin,
            f"column {column['name']!r} is of type {kind}",
            "cast it to varchar, or to a number, date or timestamp",
        )
    return _ARROW[kind]


def as_columns(rows: pa.Table, origin: str) -> tuple[str, pa.Table]:
    """Columns of a table as SQL, and its rows in exactly the types that COPY takes for them.

    Raises ConfigError naming the first column of a type that Redshift has no equal of.
    """
    fields = [(field.name, *_redshift_type(field, origin)) for field in rows.schema]
    target = pa.schema([(column, arrow) for column, _, arrow in fields])
    return ", ".join(f"{name(column)} {kind}" for column, kind, _ in fields), rows.cast(target)


def _redshift_type(field: pa.Field, origin: str) -> tuple[str, pa.DataType]:
    kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
    if pa.types.is_decimal128(kind):
        return f"decimal({kind.precision}, {kind.scale})", kind
    for fits, words, arrow in _GIVEN:
        if fits(kind):
            return words, arrow
    raise ConfigError(
        origin,
        f"column {field.name!r} of type {field.type} cannot be brought to Redshift",
        "select it as text, a number, a date or a timestamp",
    )
