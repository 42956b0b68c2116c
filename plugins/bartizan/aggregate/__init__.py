"""Aggregates: one folder of SQL per table, rebuilt window by window from what landed."""

from bartizan.aggregate.build import BuildResult, build, due_windows
from bartizan.aggregate.spec import AggregateTable, load_tables

__all__ = ["AggregateTable", "BuildResult", "build", "due_windows", "load_tables"]
