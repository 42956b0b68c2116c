"""Tries a connector over a window without writing anything."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from bartizan.crawl.filters import kept
from bartizan.crawl.lint import warnings
from bartizan.crawl.quality import combinations
from bartizan.crawl.rows import answer, as_lines
from bartizan.crawl.tokens import require_select, tokens
from bartizan.engines.base import SQL_ENGINES, Engine
from bartizan.model.connector import Aggregation, Connector
from bartizan.model.window import Window

SAMPLE = 5


# Aggregations that are the row's own value where a series has one row in an interval.
_OF_SEVERAL = (Aggregation.P50, Aggregation.P95, Aggregation.P99)
# Aggregations for which several rows of a series in an interval may be an oversight.
_OF_ONE = (Aggregation.SUM, Aggregation.AVG)
_NOT_NEGATIVE = (Aggregation.SUM, Aggregation.RATIO)


@dataclass(frozen=True)
class ConnectorCheck:
    """What the query yields over a window: rows that pass the filters, of `returned`; series
    (measures counted), distinct values by dimension, bytes of its CSV file, first rows, and what a
    person should look at."""

    connector: str
    window: Window
    returned: int
    rows: int
    series: int
    cardinality: dict[str, int]
    csv_bytes: int
    sample: tuple[dict[str, str], ...]
    warnings: tuple[str, ...]


def check(connector: Connector, engine: Engine, window: Window) -> ConnectorCheck:
    """Run the query over the window. Raises ConfigError for a column that is missing or unfit."""
    lint = _linted(connector) if connector.engine in SQL_ENGINES else []
    returned = answer(engine, connector, window)
    cut = as_lines(returned, connector, window).cut(window)
    rows = returned.filter(kept(returned, connector)).select(list(connector.columns))
    ordered = rows.sort_by(
        [(name, "ascending") for name in (connector.timestamp, *connector.dimensions)]
    )
    return ConnectorCheck(
        connector=connector.name,
        window=window,
        returned=returned.num_rows,
        rows=rows.num_rows,
        series=combinations(rows, connector.dimensions) * len(connector.measures),
        cardinality={name: len(rows[name].unique()) for name in connector.dimensions},
        csv_bytes=len(cut.content),
        sample=tuple(
            {name: "" if value is None else str(value) for name, value in row.items()}
            for row in ordered.slice(0, SAMPLE).to_pylist()
        ),
        warnings=(
            *lint,
            *_undescribed(returned, connector),
            *_repeated(rows, connector),
            *_unfit_values(rows, connector),
        ),
    )


def _linted(connector: Connector) -> list[str]:
    """Warnings about the text of a query. Raises ConfigError unless it is one SELECT."""
    code = tokens(connector.query, connector.origin)
    require_select(code, connector.origin)
    return warnings(code)


def _undescribed(returned: pa.Table, connector: Connector) -> list[str]:
    known = {*connector.columns, *(name for name, _ in connector.filters)}
    extra = [name for name in returned.column_names if name not in known]
    return [f"{name}: returned by the query, not in connector.yaml: ignored" for name in extra]


def _repeated(rows: pa.Table, connector: Connector) -> list[str]:
    """Whether several rows of a series in an interval are what the aggregations want."""
    step = int(connector.frequency.total_seconds())
    times = rows[connector.timestamp].cast(pa.timestamp("us"))
    starts = pc.floor_temporal(times, multiple=step, unit="second")
    dimensions = rows.select(list(connector.dimensions))
    keys = [str(place) for place in range(dimensions.num_columns)]
    dated = dimensions.rename_columns(keys).append_column("start", starts)
    surplus = rows.num_rows - combinations(dated, [*keys, "start"])
    if surplus:
        text = "rows are further rows of a series in its interval: are they meant to be aggregated?"
        doubtful = any(m.aggregation in _OF_ONE for m in connector.measures)
        return [f"{surplus} of {rows.num_rows} {text}"] if doubtful else []
    alone = [m for m in connector.measures if m.aggregation in _OF_SEVERAL and rows.num_rows]
    text = "of one row is that row's value: let the query return the single values"
    return [f"{measure.name}: {measure.aggregation} {text}" for measure in alone]


def _unfit_values(rows: pa.Table, connector: Connector) -> list[str]:
    empty = {name: rows[name].null_count for name in connector.dimensions}
    counted = {n for m in connector.measures if m.aggregation in _NOT_NEGATIVE for n in m.columns}
    below = {
        name: pc.sum(pc.less(rows[name], 0)).as_py() or 0
        for name in connector.value_columns
        if name in counted
    }
    return [
        *(f"{name}: NULL in {n} rows, a series without a name" for name, n in empty.items() if n),
        *(f"{name}: negative in {n} rows" for name, n in below.items() if n),
    ]
