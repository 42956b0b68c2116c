"""This installation: its settings, store, lake and engine."""

# ruff: noqa: PLC0415  (rooms are imported when they are used: DAG files are parsed often)

from __future__ import annotations

from typing import TYPE_CHECKING

from bartizan.config import Settings, make_folder

if TYPE_CHECKING:
    from bartizan.engines import DuckDBEngine
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


def open_engine() -> DuckDBEngine:
    from bartizan.engines import DuckDBEngine

    return DuckDBEngine(open_lake())
