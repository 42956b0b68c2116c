"""The embedded engine: DuckDB over the data files that Iceberg has committed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pyarrow as pa

from bartizan.engines.sql import lake_tables, reads_waf_logs, render
from bartizan.errors import ConfigError
from bartizan.lake import Lake, planned_files
from bartizan.lake.view import create_view
from bartizan.model.window import Window

_SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    # Without these a query for a missing format or extension would try to download it.
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "memory_limit": "4GB",
}

_WAF_LOGS = Path(__file__).with_name("waf_logs.sql")


def connect() -> duckdb.DuckDBPyConnection:
    """A private in-memory connection in UTC."""
    connection = duckdb.connect(config=_SETTINGS)
    connection.execute("set timezone = 'UTC'")
    connection.execute("set enable_progress_bar = false")  # it would fill task logs
    return connection


class DuckDBEngine:
    """Runs portable SQL over lake tables named `waf.<table>` and `agg.<table>`.

    `waf_logs` is the window's requests under the names that AWS documents (`waf_logs.sql`).
    """

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
        a query that has them, or reads `waf_logs`, need not use the window. Raises ConfigError
        naming `origin` when the query does not parse, names an unknown table or column, or
        converts an unfit value.
        """
        given = given or {}
        as_aws = reads_waf_logs(query)
        text = render(query, window, origin, windowed=not given and not as_aws)
        tables = {*lake_tables(query), *(["waf.requests"] if as_aws else [])}
        with self._session(sorted(tables), window, origin) as connection:
            if as_aws:
                connection.execute(render(_WAF_LOGS.read_text(encoding="utf-8"), window))
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
        alike = len(table.schemas()) == 1  # columns were never added
        create_view(connection, f'"{schema}"."{view}"', table.schema().as_arrow(), files, alike)


def first_line(error: Exception) -> str:
    """The first line of an engine's message, without its internals."""
    return str(error).strip().split("\n", maxsplit=1)[0]
