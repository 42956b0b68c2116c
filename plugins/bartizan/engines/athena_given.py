"""Small tables brought to Athena for one query: Parquet in S3 under a name in the Glue catalog.

Why files and not VALUES in the text: a text may have 262,144 bytes, and the rows of a whole
aggregate window, which its checks are given, have more. One way for all sizes is one to trust.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import pyarrow as pa
import sqlglot
from sqlglot.tokenizer_core import TokenType

from bartizan.engines.aws import calling, client
from bartizan.engines.connections import Athena
from bartizan.engines.objects import Objects
from bartizan.errors import ConfigError

DATABASE = "bartizan_given"  # holds nothing that outlives a query

_HIVE = "org.apache.hadoop.hive.ql.io.parquet"
_INSTANT = pa.timestamp("us")


class Given:
    """Brings Arrow tables below the connection's output prefix and takes them away again."""

    def __init__(self, connection: Athena, objects: Objects) -> None:
        self._prefix = f"{connection.output}given/"
        self._glue = client("glue", connection.region)
        self._objects = objects

    @contextmanager
    def brought(self, tables: Mapping[str, pa.Table], origin: str) -> Iterator[dict[str, str]]:
        """A SELECT of each table's rows by the table's name, usable until the end of the block.

        Raises ConfigError for a column of a type that Athena's tables cannot hold.
        """
        with ExitStack() as removals:
            selects = {}
            for name, rows in tables.items():
                selects[name] = self._bring(rows, origin, removals)
            yield selects

    def _bring(self, rows: pa.Table, origin: str, removals: ExitStack) -> str:
        columns = [_brought(field, origin) for field in rows.schema]
        # By position: Glue lowers names and takes few characters in them.
        places = [f"c{place}" for place in range(len(columns))]
        values = [
            column.cast(_INSTANT).cast(kind)
            if pa.types.is_timestamp(column.type)
            else column.cast(kind)
            for column, (kind, _, _) in zip(rows.columns, columns, strict=True)
        ]
        table = f"t_{uuid.uuid4().hex}"  # concurrent queries bring the same tables
        location = f"{self._prefix}{table}/"
        removals.callback(self._objects.remove, f"{location}rows.parquet")
        self._objects.put_parquet(f"{location}rows.parquet", pa.table(values, names=places))
        hive = [{"Name": p, "Type": kind} for p, (_, kind, _) in zip(places, columns, strict=True)]
        self._create(table, location, hive, removals)
        selected = (
            f"{expression.format(place)} as {_quoted(field.name)}"
            for place, field, (_, _, expression) in zip(places, rows.schema, columns, strict=True)
        )
        return f"select {', '.join(selected)} from {DATABASE}.{table}"

    def _create(
        self, table: str, location: str, columns: list[dict[str, str]], removals: ExitStack
    ) -> None:
        with calling(f"Glue database {DATABASE}"):
            with suppress(self._glue.exceptions.AlreadyExistsException):
                self._glue.create_database(DatabaseInput={"Name": DATABASE})
            self._glue.create_table(
                DatabaseName=DATABASE, TableInput=_described(table, location, columns)
            )
        removals.callback(_drop, self._glue, table)


def with_tables(query: str, tables: Mapping[str, str]) -> str:
    """The query with further tables, SELECTs by name, at the head of its WITH."""
    if not tables:
        return query
    listed = ", ".join(f"{_quoted(name)} as ({select})" for name, select in tables.items())
    first, *rest = sqlglot.tokenize(query, dialect="trino")
    if first.token_type is not TokenType.WITH:
        return f"with {listed}\n{query}"
    head = rest[0] if rest[0].token_type is TokenType.RECURSIVE else first
    return f"{query[: head.end + 1]} {listed},{query[head.end + 1 :]}"


def _drop(glue: Any, table: str) -> None:
    with calling(f"Glue table {DATABASE}.{table}"):
        glue.delete_table(DatabaseName=DATABASE, Name=table)


def _described(table: str, location: str, columns: list[dict[str, str]]) -> dict[str, Any]:
    return {
        "Name": table,
        "TableType": "EXTERNAL_TABLE",
        "Parameters": {"EXTERNAL": "TRUE", "classification": "parquet"},
        "StorageDescriptor": {
            "Columns": columns,
            "Location": location,
            "InputFormat": f"{_HIVE}.MapredParquetInputFormat",
            "OutputFormat": f"{_HIVE}.MapredParquetOutputFormat",
            "SerdeInfo": {"SerializationLibrary": f"{_HIVE}.serde.ParquetHiveSerDe"},
        },
    }


def _brought(field: pa.Field, origin: str) -> tuple[pa.DataType, str, str]:
    """A column's Arrow type in the file, its Hive type, and the SQL that makes its value."""
    kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
    if pa.types.is_decimal128(kind):
        return kind, f"decimal({kind.precision},{kind.scale})", "{}"
    for fits, arrow, hive in _COLUMNS:
        if fits(kind):
            return arrow, hive, "{}"
    if pa.types.is_timestamp(kind):
        # Athena reads a Hive table's timestamps to the millisecond only.
        return pa.int64(), "bigint", "cast(from_unixtime_nanos({} * 1000) as timestamp(6))"
    raise ConfigError(
        origin,
        f"column {field.name!r} of type {field.type} cannot be brought to Athena",
        "select it as text, a number, a date or a timestamp",
    )


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


_COLUMNS: tuple[tuple[Callable[[pa.DataType], bool], pa.DataType, str], ...] = (
    (pa.types.is_boolean, pa.bool_(), "boolean"),
    (pa.types.is_integer, pa.int64(), "bigint"),
    (pa.types.is_floating, pa.float64(), "double"),
    (pa.types.is_date, pa.date32(), "date"),
    (pa.types.is_string, pa.string(), "string"),
    (pa.types.is_large_string, pa.string(), "string"),
    (pa.types.is_null, pa.string(), "string"),
)
