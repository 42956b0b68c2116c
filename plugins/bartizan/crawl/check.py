"""Tries a connector over a window without writing anything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from bartizan.crawl.lint import warnings
from bartizan.crawl.rows import answer, as_lines
from bartizan.crawl.tokens import require_select, tokens
from bartizan.engines import DuckDBEngine
from bartizan.model.connector import Connector
from bartizan.model.window import Window

SAMPLE = 5


@dataclass(frozen=True)
class ConnectorCheck:
    """What the query yields over a window: rows, series (measures counted), distinct values by
    dimension, bytes of its CSV file, first rows, and what a person should look at."""

    connector: str
    window: Window
    rows: int
    series: int
    cardinality: dict[str, int]
    csv_bytes: int
    sample: tuple[dict[str, str], ...]
    warnings: tuple[str, ...]


def check(connector: Connector, engine: DuckDBEngine, window: Window) -> ConnectorCheck:
    """Run the query over the window. Raises ConfigError for a column that is missing or unfit."""
    code = tokens(connector.query, f"{connector.name}/query.sql")
    require_select(code, f"{connector.name}/query.sql")
    returned = answer(engine, connector, window)
    rows = returned.select(list(connector.columns)).combine_chunks()
    ordered = rows.sort_by(
        [(name, "ascending") for name in (connector.timestamp, *connector.dimensions)]
    )
    content, _ = as_lines(rows, connector, window).csv(window)
    return ConnectorCheck(
        connector=connector.name,
        window=window,
        rows=rows.num_rows,
        series=_combinations(rows, connector.dimensions) * len(connector.measures),
        cardinality={name: len(rows[name].unique()) for name in connector.dimensions},
        csv_bytes=len(content),
        sample=tuple(
            {name: "" if value is None else str(value) for name, value in row.items()}
            for row in ordered.slice(0, SAMPLE).to_pylist()
        ),
        warnings=(
            *warnings(code),
            *_undescribed(returned, connector),
            *_repeated(rows, connector),
            *_unfit_values(rows, connector),
        ),
    )


def _undescribed(returned: pa.Table, connector: Connector) -> list[str]:
    extra = [name for name in returned.column_names if name not in connector.columns]
    return [f"{name}: returned by the query, not in connector.yaml: ignored" for name in extra]


def _repeated(rows: pa.Table, connector: Connector) -> list[str]:
    """Several rows of a series in an interval: legal, the reader aggregates them."""
    step = int(connector.frequency.total_seconds())
    times = rows[connector.timestamp].cast(pa.timestamp("us"))
    starts = pc.floor_temporal(times, multiple=step, unit="second")
    dimensions = rows.select(list(connector.dimensions))
    keys = [str(place) for place in range(dimensions.num_columns)]
    dated = dimensions.rename_columns(keys).append_column("start", starts)
    surplus = rows.num_rows - _combinations(dated, [*keys, "start"])
    text = "rows are further rows of a series in its interval: are they meant to be aggregated?"
    return [f"{surplus} of {rows.num_rows} {text}"] if surplus else []


def _unfit_values(rows: pa.Table, connector: Connector) -> list[str]:
    empty = {name: rows[name].null_count for name in connector.dimensions}
    below = {
        measure.name: pc.sum(pc.less(rows[measure.name], 0)).as_py() or 0
        for measure in connector.measures
    }
    return [
        *(f"{name}: NULL in {n} rows, a series without a name" for name, n in empty.items() if n),
        *(f"{name}: negative in {n} rows" for name, n in below.items() if n),
    ]


def _combinations(rows: pa.Table, columns: Sequence[str]) -> int:
    """Number of distinct rows in some columns; in none of them there is one, if any."""
    if not columns:
        return min(int(rows.num_rows), 1)
    return int(rows.group_by(list(columns)).aggregate([]).num_rows)
