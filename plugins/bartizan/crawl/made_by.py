"""What the rows of a chunk were made from: the connector, its query and its source, as a digest."""

from __future__ import annotations

import hashlib
import json

from bartizan.engines.base import EngineName
from bartizan.engines.guard import WAF_LOGS, tables_of
from bartizan.errors import UsageError
from bartizan.lake import Lake, planned_files
from bartizan.model.connector import Connector
from bartizan.model.window import Window


def made_by(connector: Connector, version: str) -> str:
    """A digest that changes with whatever decides about a chunk's bytes."""
    parts = [
        connector.engine,
        connector.connection,
        connector.frequency.total_seconds(),
        connector.columns,
        len(connector.dimensions),
        sorted(connector.text_columns),
        connector.filters,
        connector.query,
        version,
    ]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]


def lake_version(lake: Lake, connector: Connector, window: Window) -> str:
    """The data files of the lake that can hold rows of the window; every change makes new ones.

    Raises UsageError for a table that was not built yet.
    """
    known = lake.names()
    names = tables_of(connector.query, EngineName.DUCKDB, connector.origin)
    files: list[str] = []
    for name in sorted({"waf.requests" if name == WAF_LOGS else name for name in names}):
        if name not in known:
            raise UsageError(name, "is not in the lake yet", "run `bartizan aggregate` first")
        table = lake.table(name)
        column = "event_time" if name.startswith("waf.") else "bucket"
        is_dated = column in table.schema().column_names
        files += planned_files(table, window if is_dated else None, column)
    return hashlib.sha256("\n".join(sorted(files)).encode()).hexdigest()
