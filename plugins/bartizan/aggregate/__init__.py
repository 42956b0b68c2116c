"""Aggregates: one folder of SQL per table, rebuilt window by window from what landed."""

from bartizan.aggregate.build import BuildResult, build, build_all, due_windows
from bartizan.aggregate.spec import AggregateTable, load_tables

__all__ = ["AggregateTable", "BuildResult", "build", "build_all", "due_windows", "load_tables"]
