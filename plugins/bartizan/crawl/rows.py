"""The rows of a connector over a window, as lines of CSV that belong to intervals.

Live and history files are cut from the same lines, so the same interval has the same bytes in both.
Dimension values come from attackers. They keep their bytes, except that CR, LF and NUL become the
control pictures U+240D, U+240A and U+2400, so that one record is one line for every reader.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bartizan.engines import DuckDBEngine
from bartizan.errors import ConfigError
from bartizan.model.connector import Connector
from bartizan.model.window import Window, naive

_PICTURES = {"\r": "\u240d", "\n": "\u240a", "\0": "\u2400"}


@dataclass(frozen=True)
class MetricRows:
    """Lines without line ends, in order of `starts`, the interval start of each (naive UTC)."""

    connector: str
    header: str
    starts: np.ndarray
    lines: list[str]

    def csv(self, window: Window) -> tuple[bytes, int]:
        """The file of the intervals that start in `window`, and its number of rows."""
        edges = [np.datetime64(naive(edge), "s") for edge in (window.start, window.end)]
        first, last = np.searchsorted(self.starts, edges)
        lines = [self.header, *self.lines[first:last]]
        return ("\n".join(lines) + "\n").encode(), int(last - first)


def fetch(engine: DuckDBEngine, connector: Connector, window: Window) -> MetricRows:
    """Run the query over the window, once."""
    return as_lines(query(engine, connector, window), connector, window)


def as_lines(rows: pa.Table, connector: Connector, window: Window) -> MetricRows:
    """Rows of the query as lines of CSV.

    They are ordered by interval, dimensions, time and measures. Raises ConfigError when a column
    has no fitting type or a row lies outside the window.
    """
    times = _times(rows, connector, window)
    starts = pc.floor_temporal(
        times, multiple=int(connector.frequency.total_seconds()), unit="second"
    )
    columns = [
        pc.strftime(times, "%Y-%m-%d %H:%M:%S"),
        *(_texts(rows, name, connector) for name in connector.dimensions),
        *(_numbers(rows, measure.name, connector) for measure in connector.measures),
    ]
    order = _order(starts, columns, len(connector.dimensions))
    lines = pc.binary_join_element_wise(*columns, ",").take(order).to_pylist()
    ordered = starts.take(order).to_numpy().astype("datetime64[s]")
    return MetricRows(connector.name, ",".join(connector.columns), ordered, lines)


def query(engine: DuckDBEngine, connector: Connector, window: Window) -> pa.Table:
    """The connector's columns as the engine returns them. Raises ConfigError if one is missing."""
    rows = answer(engine, connector, window)
    return rows.select(list(connector.columns)).combine_chunks()


def answer(engine: DuckDBEngine, connector: Connector, window: Window) -> pa.Table:
    """All columns the query returns. Raises ConfigError unless each of the connector's is one."""
    origin = f"{connector.name}/query.sql"
    rows = engine.query(connector.query, window, origin)
    if lacking := [name for name in connector.columns if name not in rows.column_names]:
        raise ConfigError(
            f"{origin}: {lacking[0]}",
            f"is not among the columns it returns: {', '.join(rows.column_names)}",
            "select it or correct connector.yaml",
        )
    if twice := [name for name in connector.columns if rows.column_names.count(name) > 1]:
        raise ConfigError(f"{origin}: {twice[0]}", "is returned twice", "give each its own name")
    return rows


def _times(rows: pa.Table, connector: Connector, window: Window) -> pa.Array:
    """The timestamp column in naive UTC seconds, all of it within the window."""
    origin, column = f"{connector.name}/query.sql: {connector.timestamp}", rows[connector.timestamp]
    if not (pa.types.is_timestamp(column.type) or pa.types.is_date(column.type)):
        raise ConfigError(origin, f"is of type {column.type}", "cast it to timestamp")
    times = pc.floor_temporal(column.cast(pa.timestamp("us")), unit="second").cast(
        pa.timestamp("s")
    )
    start, end = (pa.scalar(naive(edge), pa.timestamp("s")) for edge in (window.start, window.end))
    inside = pc.and_(pc.greater_equal(times, start), pc.less(times, end)).fill_null(False)
    if outside := rows.num_rows - (pc.sum(inside).as_py() or 0):
        raise ConfigError(
            origin,
            f"{outside} of {rows.num_rows} rows are NULL or outside {window}",
            "filter the query on >= {{ start }} and < {{ end }}",
        )
    return _array(times)


def _texts(rows: pa.Table, name: str, connector: Connector) -> pa.Array:
    """A dimension as CSV fields; NULL is the empty field."""
    texts = _cast(rows, name, connector, pa.string(), "cast it to varchar")
    for control, picture in _PICTURES.items():
        texts = pc.replace_substring(texts, control, picture)
    quoted = pc.binary_join_element_wise('"', pc.replace_substring(texts, '"', '""'), '"', "")
    return pc.if_else(pc.match_substring_regex(texts, '[",]'), quoted, texts)


def _numbers(rows: pa.Table, name: str, connector: Connector) -> pa.Array:
    """A measure as CSV fields; NULL, NaN and infinity are the empty field: no value."""
    type_ = rows.schema.field(name).type
    if pa.types.is_floating(type_):
        values = rows[name]
        finite = pc.is_finite(values).fill_null(False)
        return _array(pc.if_else(finite, values.cast(pa.string()), ""))
    if not (pa.types.is_integer(type_) or pa.types.is_decimal(type_)):
        raise ConfigError(
            f"{connector.name}/query.sql: {name}",
            f"is of type {type_}",
            "a measure is a number: cast it to bigint or double",
        )
    return _cast(rows, name, connector, pa.string(), "cast it to bigint")


def _cast(
    rows: pa.Table, name: str, connector: Connector, type_: pa.DataType, remedy: str
) -> pa.Array:
    try:
        return _array(rows[name].cast(type_).fill_null(""))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        origin = f"{connector.name}/query.sql: {name}"
        raise ConfigError(origin, f"type {rows[name].type} is no text", remedy) from error


def _order(starts: pa.Array, columns: list[pa.Array], dimensions: int) -> pa.Array:
    """Indices that sort by interval, dimensions, then time and measures."""
    time, texts, numbers = columns[0], columns[1 : dimensions + 1], columns[dimensions + 1 :]
    keys = [starts, *texts, time, *numbers]
    names = [str(position) for position in range(len(keys))]
    return pc.sort_indices(pa.table(keys, names), [(name, "ascending") for name in names])


def _array(column: pa.ChunkedArray) -> pa.Array:
    combined = column.combine_chunks()
    return combined if isinstance(combined, pa.Array) else pa.array([], column.type)
