"""The embedded engine: DuckDB over the data files that Iceberg has committed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import duckdb
import pyarrow as pa

from bartizan.engines.sql import lake_tables, render
from bartizan.errors import ConfigError
from bartizan.lake import Lake, planned_files
from bartizan.model.window import Window

_SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    # Without these a query for a missing format or extension would try to download it.
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "memory_limit": "4GB",
}


def connect() -> duckdb.DuckDBPyConnection:
    """A private in-memory connection in UTC."""
    connection = duckdb.connect(config=_SETTINGS)
    connection.execute("set timezone = 'UTC'")
    connection.execute("set enable_progress_bar = false")  # it would fill task logs
    return connection


class DuckDBEngine:
    """Runs portable SQL over lake tables named `waf.<table>` and `agg.<table>`."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake

    def query(
        self,
        query: str,
        window: Window,
        origin: str = "query",
        given: Mapping[str, pa.Table] | None = None,
    ) -> pa.Table:
        """Rows of `query` over `window` as an Arrow table.

        Only files that can hold rows of the window are opened. `given` are further tables by name;
        a query that has them need not use the window. Raises ConfigError naming `origin` when the
        query does not parse, names an unknown table or column, or converts an unfit value.
        """
        given = given or {}
        text = render(query, window, origin, windowed=not given)
        with self._session(lake_tables(query), window, origin) as connection:
            for name, rows in given.items():
                connection.register(name, rows)
            try:
                return connection.sql(text).to_arrow_table()
            except (duckdb.ProgrammingError, duckdb.DataError) as error:
                raise ConfigError(origin, first_line(error), "correct the query") from error

    @contextmanager
    def _session(
        self, tables: list[str], window: Window, origin: str
    ) -> Iterator[duckdb.DuckDBPyConnection]:
        known = set(self._lake.names())
        with connect() as connection:
            for name in tables:
                if name not in known:
                    raise ConfigError(
                        origin,
                        f"no table {name!r} in the lake",
                        f"known: {', '.join(sorted(known))}",
                    )
                self._attach(connection, name, window)
            yield connection

    def _attach(self, connection: duckdb.DuckDBPyConnection, name: str, window: Window) -> None:
        table = self._lake.table(name)
        time_column = "event_time" if name.startswith("waf.") else "bucket"
        windowed = time_column in table.schema().column_names
        files = planned_files(table, window if windowed else None, time_column)
        schema, view = name.split(".")
        connection.execute(f'create schema if not exists "{schema}"')
        if files:
            listed = ", ".join("'" + file.replace("'", "''") + "'" for file in files)
            # Partition values are stored in the files; the path must not override them.
            source = f"read_parquet([{listed}], hive_partitioning = false, union_by_name = true)"
        else:
            connection.register(f"empty_{view}", table.schema().as_arrow().empty_table())
            source = f'"empty_{view}"'
        connection.execute(f'create view "{schema}"."{view}" as select * from {source}')


def first_line(error: Exception) -> str:
    """The first line of an engine's message, without its internals."""
    return str(error).strip().split("\n", maxsplit=1)[0]
