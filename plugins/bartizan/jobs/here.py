"""This installation: its settings, store, lake and engines."""

# ruff: noqa: PLC0415  (rooms are imported when they are used: DAG files are parsed often)

from __future__ import annotations

from typing import TYPE_CHECKING, overload

from bartizan.config import Settings, make_folder
from bartizan.model.connector import LAKE_ENGINE

if TYPE_CHECKING:
    from bartizan.engines import DuckDBEngine, Engine
    from bartizan.lake import Lake
    from bartizan.store import Store


def settings() -> Settings:
    return Settings.from_env()


def open_store() -> Store:
    from bartizan.store import Store

    here = settings()
    make_folder(here.lake)
    return Store.open(here.store_url)


def open_lake() -> Lake:
    from bartizan.lake import Lake

    make_folder(settings().lake)
    return Lake.open(settings().lake)


@overload
def open_engine() -> DuckDBEngine: ...


@overload
def open_engine(name: str, connection: str | None = None) -> Engine: ...


def open_engine(name: str = LAKE_ENGINE, connection: str | None = None) -> Engine:
    """The engine of that name, at a named connection or at its only one; the lake's without a name.

    Raises UsageError naming the environment variable that should say where the engine is.
    """
    from bartizan.engines import DuckDBEngine, EngineName
    from bartizan.engines.connections import (
        Athena,
        CloudWatch,
        PostgreSQL,
        Redshift,
        connection_from,
    )

    engine = EngineName(name)
    if engine is EngineName.DUCKDB:
        return DuckDBEngine(open_lake())
    match connection_from(engine, connection):
        case Athena() as athena:
            from bartizan.engines.athena import AthenaEngine

            return AthenaEngine(athena)
        case Redshift() as redshift:
            from bartizan.engines.redshift import RedshiftEngine

            return RedshiftEngine(redshift)
        case PostgreSQL() as postgresql:
            from bartizan.engines.postgresql import PostgreSQLEngine

            return PostgreSQLEngine(postgresql)
        case CloudWatch() as cloudwatch:
            from bartizan.engines.cloudwatch import CloudWatchEngine

            return CloudWatchEngine(cloudwatch)
