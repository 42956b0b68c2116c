"""Engines of every kind over tables that a test can put in: the embedded one, a real PostgreSQL,
and Athena and Redshift before their local stand-ins."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pyarrow as pa
from engine_athena import athena_house
from engine_postgresql import database, load
from engine_redshift import open_house

from bartizan.engines import DuckDBEngine, Engine, EngineName
from bartizan.engines.connections import PostgreSQL
from bartizan.engines.postgresql import PostgreSQLEngine
from bartizan.lake import Lake
from bartizan.lake.schemas import TableSpec


@dataclass(frozen=True)
class House:
    """`hold` makes `<schema>.<table>` hold these rows, whatever was there before."""

    engine: Engine
    hold: Callable[[Mapping[str, pa.Table]], None]


@contextmanager
def house(name: EngineName, folder: Path) -> Iterator[House]:
    """A house of one engine; its servers end with it."""
    match name:
        case EngineName.DUCKDB:
            lake = Lake.open(folder)
            yield House(DuckDBEngine(lake), lambda tables: _into_lake(lake, tables))
        case EngineName.ATHENA:
            with athena_house({}) as athena:
                yield House(athena.engine(), _each(athena.warehouse.create))
        case EngineName.REDSHIFT:
            with open_house({}) as redshift:
                yield House(redshift.engine(), _each(redshift.warehouse.create))
        case EngineName.POSTGRESQL:
            with database() as url:
                yield House(
                    PostgreSQLEngine(PostgreSQL(url)), lambda tables: _into_database(url, tables)
                )


def _each(create: Callable[[str, pa.Table], None]) -> Callable[[Mapping[str, pa.Table]], None]:
    def hold(tables: Mapping[str, pa.Table]) -> None:
        for name, rows in tables.items():
            create(name, rows)

    return hold


def _into_lake(lake: Lake, tables: Mapping[str, pa.Table]) -> None:
    for name, rows in tables.items():
        lake.create(TableSpec(name, rows.schema)).overwrite(rows)


def _into_database(url: str, tables: Mapping[str, pa.Table]) -> None:
    with psycopg.connect(url) as connection:
        for name, rows in tables.items():
            connection.execute(f"drop table if exists {name}".encode())
            load(connection, name, rows)
