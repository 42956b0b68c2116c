"""The relational store: what must be remembered between tasks and is not a table of rows to scan.

All writes are idempotent by deterministic keys and safe with two workers on the same window.
SQLite in the lake folder by default, PostgreSQL by URL.
"""

from bartizan.store.database import Store

__all__ = ["Store"]
