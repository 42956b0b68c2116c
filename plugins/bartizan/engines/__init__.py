"""SQL engines: render a query for a window, run it over lake tables, return Arrow."""

from bartizan.engines.duckdb import DuckDBEngine
from bartizan.engines.sql import render

__all__ = ["DuckDBEngine", "render"]
