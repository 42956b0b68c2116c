"""Opens the store and hands out transactions."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Column, Connection, Engine, Table, create_engine, event, inspect
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, OperationalError, ProgrammingError
from sqlalchemy.schema import CreateColumn

from bartizan.errors import UsageError
from bartizan.store.tables import SCHEMA_VERSION, metadata, schema_version

# What makes others wait until the transaction ends: two workers may open a new store at once.
_ALONE = {"sqlite": "begin immediate", "postgresql": "select pg_advisory_xact_lock(7261996)"}


class Store:
    """A database with Bartizan's tables; created at first use."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @classmethod
    def open(cls, url: str) -> Store:
        """Open the store. Raises UsageError when it cannot be opened, or when a newer or older
        release wrote it.
        """
        try:
            engine = create_engine(url)
            if make_url(url).get_backend_name() == "sqlite":
                event.listen(engine, "connect", _prepare_sqlite)
            _create_tables(engine)
        except (
            ArgumentError,
            ModuleNotFoundError,
            OperationalError,
            ProgrammingError,
        ) as error:
            raise UsageError(
                "BARTIZAN_STORE",
                f"cannot be opened: {str(error).splitlines()[0]}",
                "give an SQLAlchemy URL of SQLite or PostgreSQL, its driver installed",
            ) from error
        store = cls(engine)
        with store.transaction() as connection:
            insert_new(connection, schema_version, [{"one": 1, "version": SCHEMA_VERSION}])
            found = connection.execute(schema_version.select()).one().version
        if found != SCHEMA_VERSION:
            raise UsageError(
                f"store {engine.url.render_as_string()}",
                f"has schema version {found}, this release reads {SCHEMA_VERSION}",
                "use the release that wrote it, or a fresh BARTIZAN_STORE",
            )
        return store

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """One transaction: committed at the end of the block, rolled back on an exception."""
        with self.engine.begin() as connection:
            yield connection


def _create_tables(engine: Engine) -> None:
    """Create what is lacking: tables, and columns that an earlier build did not have."""
    with engine.connect() as connection:
        if not _lacking(connection):
            return
    with engine.begin() as connection:
        connection.exec_driver_sql(_ALONE[engine.dialect.name])
        metadata.create_all(connection)
        for column in _lacking(connection):
            text = CreateColumn(column).compile(dialect=engine.dialect)
            connection.exec_driver_sql(f"alter table {column.table.name} add column {text}")


def _lacking(connection: Connection) -> list[Column[Any]]:
    """Columns of our tables that the database does not have."""
    found = {
        (table, column["name"])
        for (_, table), columns in inspect(connection).get_multi_columns().items()
        for column in columns
    }
    return [
        column
        for table in metadata.sorted_tables
        for column in table.columns
        if (table.name, column.name) not in found
    ]


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("pragma busy_timeout = 60000")
    try:
        cursor.execute("pragma journal_mode = wal")
    except sqlite3.OperationalError as error:
        # SQLite does not wait for this one. Who is in the way switches a new database himself, for
        # good; and a database in another mode works, too.
        if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
            raise
    cursor.execute("pragma synchronous = normal")
    cursor.close()


def insert_new(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> int:
    """Insert the rows whose key is not there yet; returns how many were new."""
    if not rows:
        return 0
    statement = _insert(connection, table).on_conflict_do_nothing()
    # Without the option PostgreSQL's driver answers -1 for several rows.
    counted = statement.execution_options(preserve_rowcount=True)
    return connection.execute(counted, rows).rowcount


def upsert(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows, or update the given columns where the key exists. All name the same columns."""
    if not rows:
        return
    keys = [column.name for column in table.primary_key]
    statement = _insert(connection, table)
    values = {name: statement.excluded[name] for name in rows[0] if name not in keys}
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=values), rows)


def _insert(connection: Connection, table: Table) -> Any:
    dialects = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
    return dialects[connection.dialect.name](table)
