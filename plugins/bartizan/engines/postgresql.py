"""PostgreSQL as an engine: one SELECT in a read-only transaction, its rows by COPY."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from tempfile import SpooledTemporaryFile
from typing import IO, Any

import psycopg
import pyarrow as pa
from psycopg.sql import Identifier
from pyarrow import csv

from bartizan.engines.base import EngineName, Scan
from bartizan.engines.connections import PostgreSQL
from bartizan.engines.guard import admit
from bartizan.engines.postgresql_connect import session
from bartizan.engines.postgresql_types import INSTANT, TIME, answered, made_here, stored
from bartizan.errors import ConfigError
from bartizan.model.window import Window

_IN_MEMORY = 64 * 2**20  # bytes of an answer; what is beyond them waits in a temporary file
_LONGEST_ROW = 16 * 2**20  # bytes
_NULL = r"\N"  # stands unquoted, every value quoted: neither can be taken for the other
_UNFIT = re.compile(r"In CSV column #(\d+): .*?'(.*)'", re.DOTALL)


class PostgreSQLEngine:
    """Runs SQL over tables named `<schema>.<table>` of one database.

    Nothing is written: the transaction is read-only and rolled back. Its role needs SELECT, and
    TEMPORARY on the database for `given` tables.
    """

    name = EngineName.POSTGRESQL

    def __init__(self, connection: PostgreSQL) -> None:
        self._url = connection.url
        self._timeout = connection.timeout

    def query(
        self,
        query: str,
        window: Window,
        origin: str = "query",
        given: Mapping[str, pa.Table] | None = None,
    ) -> pa.Table:
        """Rows of `query` over `window` as an Arrow table; see `Engine`.

        Raises ConfigError also for what has no exact type in Arrow: a numeric without a precision,
        a time at infinity, a numeric that is NaN.
        """
        given = given or {}
        text = _bare(admit(query, window, self.name, origin, given.keys()).text)
        with SpooledTemporaryFile(_IN_MEMORY) as rows:
            with session(self._url, origin, self._timeout) as connection:
                for name, table in given.items():
                    _give(connection, name, table, origin)
                connection.execute("set transaction read only")
                types = _described(connection, text, origin)
                _copy(connection, text, rows)
            return _read(rows, types, origin)

    def scans(self, query: str, window: Window, origin: str = "query") -> list[Scan]:
        """What the planner expects to read of each table: rows, and bytes as rows times width."""
        text = _bare(admit(query, window, self.name, origin).text)
        with session(self._url, origin, self._timeout) as connection:
            # The nodes of a parallel plan state the rows of one worker.
            connection.execute("set local max_parallel_workers_per_gather = 0")
            connection.execute("set transaction read only")
            statement = f"explain (format json, verbose) {text}".encode()
            ((plans,),) = connection.execute(statement, binary=True).fetchall()
        found: dict[str, Scan] = {}
        for node in _nodes(plans[0]["Plan"]):
            if "Relation Name" in node:
                table = f"{node['Schema']}.{node['Relation Name']}"
                rows, width = node["Plan Rows"], node["Plan Width"]
                so_far = found.get(table, Scan(table, None, 0, 0))
                found[table] = Scan(
                    table, None, (so_far.rows or 0) + rows, (so_far.bytes or 0) + rows * width
                )
        return [found[table] for table in sorted(found)]


def _bare(text: str) -> str:
    return text.strip().removesuffix(";")


def _give(connection: psycopg.Connection[Any], name: str, rows: pa.Table, origin: str) -> None:
    """Put rows into a temporary table, which hides any other of that name and dies with the
    transaction."""
    types = [stored(field, origin) for field in rows.schema]
    table = Identifier("pg_temp", name).as_string(connection)
    columns = ", ".join(
        f"{Identifier(column).as_string(connection)} {kind}"
        for column, kind in zip(rows.column_names, types, strict=True)
    )
    connection.execute(f"create table {table} ({columns})".encode())
    # In binary: as CSV, a line `\.` inside a text would end the data before PostgreSQL 18.
    with connection.cursor().copy(f"copy {table} from stdin (format binary)".encode()) as copy:
        copy.set_types([kind.partition("(")[0] for kind in types])
        for batch in rows.to_batches():
            for row in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                copy.write_row(row)


def _described(
    connection: psycopg.Connection[Any], text: str, origin: str
) -> dict[str, pa.DataType]:
    """The types of the answer by column, without running the query."""
    # In binary, as in `scans`: only the simple protocol of texts would take a second statement.
    none = connection.execute(f"select * from (\n{text}\n) answer limit 0".encode(), binary=True)
    columns = none.description or []
    made = made_here(columns)
    texts = connection.execute(
        "select oid from pg_type where oid = any(%s) and typcategory in ('E', 'S')", [made]
    )
    return answered(columns, {oid for (oid,) in texts}, origin)


def _copy(connection: psycopg.Connection[Any], text: str, rows: IO[bytes]) -> None:
    statement = f"copy (\n{text}\n) to stdout (format csv, force_quote *, null '{_NULL}')"
    with connection.cursor().copy(statement.encode()) as copy:
        for row in copy:
            rows.write(row)


def _read(rows: IO[bytes], types: dict[str, pa.DataType], origin: str) -> pa.Table:
    schema = pa.schema({name: TIME if kind == INSTANT else kind for name, kind in types.items()})
    if rows.tell() == 0:
        return schema.empty_table()
    rows.seek(0)
    try:
        table = csv.read_csv(
            rows,
            csv.ReadOptions(column_names=list(types), block_size=_LONGEST_ROW),
            csv.ParseOptions(newlines_in_values=True),
            csv.ConvertOptions(
                column_types=types,
                null_values=[_NULL],
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
                true_values=["t"],
                false_values=["f"],
            ),
        )
    except pa.ArrowInvalid as error:
        raise _unfit(error, types, origin) from error
    return table.cast(schema)


def _unfit(error: pa.ArrowInvalid, types: dict[str, pa.DataType], origin: str) -> ConfigError:
    if match := _UNFIT.search(str(error)):
        column = list(types)[int(match[1])]
        return ConfigError(
            origin,
            f"column {column!r} holds {match[2]!r}, which {types[column]} does not have",
            f"leave such rows out, or write nullif({column}, '{match[2]}')",
        )
    return ConfigError(
        origin, str(error).split("\n")[0], f"a row has {_LONGEST_ROW:,} bytes at most"
    )


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", []):
        yield from _nodes(below)
