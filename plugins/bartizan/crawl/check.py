"""Tries a connector without writing anything."""

from __future__ import annotations

from dataclasses import dataclass

from bartizan.crawl.rows import as_lines, query
from bartizan.engines import DuckDBEngine
from bartizan.model.connector import Connector
from bartizan.model.window import Window

SAMPLE = 5


@dataclass(frozen=True)
class ConnectorCheck:
    """What the query yields over a window: rows, distinct series (measures counted), first rows."""

    connector: str
    window: Window
    rows: int
    series: int
    sample: tuple[dict[str, str], ...]


def check(connector: Connector, engine: DuckDBEngine, window: Window) -> ConnectorCheck:
    """Run the query over the window. Raises ConfigError for a column that is missing or unfit."""
    rows = query(engine, connector, window)
    as_lines(rows, connector, window)
    combinations = rows.select(list(connector.dimensions)).group_by(list(connector.dimensions))
    entities = (
        combinations.aggregate([]).num_rows if connector.dimensions else min(rows.num_rows, 1)
    )
    return ConnectorCheck(
        connector=connector.name,
        window=window,
        rows=rows.num_rows,
        series=entities * len(connector.measures),
        sample=tuple(
            {name: "" if value is None else str(value) for name, value in row.items()}
            for row in rows.slice(0, SAMPLE).to_pylist()
        ),
    )
