"""This installation: its settings, store, lake and engines."""

# ruff: noqa: PLC0415  (rooms are imported when they are used: DAG files are parsed often)

from __future__ import annotations

from typing import TYPE_CHECKING, overload

from bartizan.config import Settings, make_folder, store_in
from bartizan.errors import UsageError
from bartizan.model.connector import LAKE_ENGINE

if TYPE_CHECKING:
    from bartizan.engines import DuckDBEngine, Engine
    from bartizan.lake import Lake
    from bartizan.store import Store


def settings() -> Settings:
    return Settings.from_env()


def has_home() -> bool:
    """Whether there is a lake, or a store that is set apart from it."""
    here = settings()
    return here.lake.is_dir() or here.store_url != store_in(here.lake)


def require_home() -> None:
    """Raises UsageError where nothing was ever landed: a mistyped path must not look empty."""
    here = settings()
    if has_home():
        return
    if here.lake.parent == here.home:
        where = f"there is no Bartizan home at {here.home}"
    else:
        where = f"there is no lake at {here.lake}"
    remedy = "correct --home or BARTIZAN_HOME, or begin one with `bartizan land`"
    raise UsageError("home", where, remedy)


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
