"""The embedded engine: DuckDB over the data files that Iceberg has committed."""

from __future__ import annotations

import tempfile
from collections import OrderedDict
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from threading import Lock

import duckdb
import pyarrow as pa
from pyiceberg.table import Table

from bartizan.engines.base import EngineName, Scan
from bartizan.engines.guard import WAF_LOGS, admit, tables_of
from bartizan.engines.sql import render
from bartizan.errors import ConfigError
from bartizan.lake import Lake, planned_files
from bartizan.lake.read import current_files, within
from bartizan.lake.view import create_view
from bartizan.model.window import Window

_SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    # Without these a query for a missing format or extension would try to download it.
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    # A name that is no table is an error, never a Python variable that happens to be called so.
    "python_enable_replacements": "false",
    "memory_limit": "4GB",
    # Its default is the folder that the process happens to be in. TMPDIR chooses another disk.
    "temp_directory": str(Path(tempfile.gettempdir(), "bartizan-duckdb")),
}

_KEPT_OPEN = 4  # databases of one engine, as many as aggregates differ in the tables they read

_WAF_LOGS_VIEW = Path(__file__).with_name("waf_logs.sql")


def connect() -> duckdb.DuckDBPyConnection:
    """A private in-memory connection in UTC."""
    connection = duckdb.connect(config=_SETTINGS)
    connection.execute("set global timezone = 'UTC'")
    connection.execute("set enable_progress_bar = false")  # it would fill task logs
    return connection


class DuckDBEngine:
    """Runs SQL over lake tables named `waf.<table>` and `agg.<table>`.

    `waf_logs` is the window's requests under the names that AWS documents (`waf_logs.sql`).
    """

    name = EngineName.DUCKDB

    def __init__(self, lake: Lake) -> None:
        self._lake = lake
        self._open: OrderedDict[Hashable, duckdb.DuckDBPyConnection] = OrderedDict()
        self._opening = Lock()

    def query(
        self,
        query: str,
        window: Window,
        origin: str = "query",
        given: Mapping[str, pa.Table] | None = None,
    ) -> pa.Table:
        """Rows of `query` over `window` as an Arrow table; see `Engine`.

        Only files that can hold rows of the window are opened, and the query can open no other.
        """
        given = given or {}
        admitted = admit(query, window, self.name, origin, given.keys())
        names = [name for name in admitted.tables if name not in given]
        try:
            with self.session(names, window, origin) as connection:
                for name, rows in given.items():
                    connection.register(name, rows)
                return connection.sql(admitted.text).to_arrow_table()
        except (duckdb.ProgrammingError, duckdb.DataError) as error:
            raise ConfigError(origin, first_line(error), "correct the query") from error

    def session(
        self, names: Sequence[str], window: Window, origin: str = "query"
    ) -> duckdb.DuckDBPyConnection:
        """A connection of one's own that reads these tables as they are now, and no other file.

        Queries over the same tables and window share a database: making one takes longer than
        most queries. Raises ConfigError naming `origin` for an unknown table.
        """
        tables = {name: self._table(name, origin) for name in _in_lake(names)}
        now = tuple(table.metadata_location for table in tables.values())
        key = (window, WAF_LOGS in names, tuple(tables), now)
        with self._opening:
            if key not in self._open:
                self._open[key] = _database(tables, window, WAF_LOGS in names)
                if len(self._open) > _KEPT_OPEN:
                    self._open.popitem(last=False)
            return self._open[key].cursor()

    def scans(self, query: str, window: Window, origin: str = "query") -> list[Scan]:
        """What the query reads of each lake table over the window, by its files' metadata alone."""
        names = _in_lake(tables_of(query, self.name, origin))
        return [self._scan(self._table(name, origin), name, window) for name in names]

    def _table(self, name: str, origin: str) -> Table:
        known = self._lake.names()
        if name not in known:
            first = "run `bartizan aggregate` first; " if name.startswith("agg.") else ""
            raise ConfigError(
                origin, f"no table {name!r} in the lake", f"{first}known: {', '.join(known)}"
            )
        return self._lake.table(name)

    def _scan(self, table: Table, name: str, window: Window) -> Scan:
        if _pruned(table, name, window):
            tasks = table.scan(row_filter=within(_time_column(name), window)).plan_files()
            files = [task.file for task in tasks]
        else:
            files = current_files(table)
        return Scan(
            table=name,
            files=len(files),
            rows=sum(file.record_count for file in files),
            bytes=sum(file.file_size_in_bytes for file in files),
        )


def _database(
    tables: Mapping[str, Table], window: Window, with_waf_logs: bool
) -> duckdb.DuckDBPyConnection:
    """A database in which these tables can be read by their names, and nothing else ever."""
    connection = connect()
    attached: list[str] = []
    for name, table in tables.items():
        files = planned_files(table, _pruned(table, name, window), _time_column(name))
        schema, view = name.split(".")
        connection.execute(f'create schema if not exists "{schema}"')
        alike = len(table.schemas()) == 1  # columns were never added
        create_view(connection, f'"{schema}"."{view}"', table.schema().as_arrow(), files, alike)
        attached += files
    if with_waf_logs:
        connection.execute(render(_WAF_LOGS_VIEW.read_text(encoding="utf-8"), window))
    _lock(connection, attached)
    return connection


def _in_lake(names: Sequence[str]) -> list[str]:
    """The lake's tables behind the names of a query."""
    return sorted({"waf.requests" if name == WAF_LOGS else name for name in names})


def _time_column(name: str) -> str:
    return "event_time" if name.startswith("waf.") else "bucket"


def _pruned(table: Table, name: str, window: Window) -> Window | None:
    """The window if files can be told apart by it."""
    return window if _time_column(name) in table.schema().column_names else None


def _lock(connection: duckdb.DuckDBPyConnection, files: Sequence[str]) -> None:
    """Nothing but these files can be opened from here on, whatever gets past the guard."""
    listed = ", ".join("'" + file.replace("'", "''") + "'" for file in files)
    connection.execute(f"set allowed_paths = [{listed}]")
    connection.execute("set enable_external_access = false")
    connection.execute("set lock_configuration = true")


def first_line(error: Exception) -> str:
    """The first line of an engine's message, without its internals."""
    return str(error).strip().split("\n", maxsplit=1)[0]
