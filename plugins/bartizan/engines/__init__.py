"""Engines: check a query, fill in its window, run it, return Arrow."""

from bartizan.engines.base import SQL_ENGINES, Engine, EngineName, Scan
from bartizan.engines.duckdb import DuckDBEngine
from bartizan.engines.sql import render

__all__ = ["SQL_ENGINES", "DuckDBEngine", "Engine", "EngineName", "Scan", "render"]
