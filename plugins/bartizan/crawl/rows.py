"""The rows of a connector over a window, as lines of CSV that belong to intervals.

Live and history files are cut from the same lines, so the same interval has the same bytes in both.
Dimension values come from attackers. They keep their bytes, except that CR, LF and NUL become the
control pictures U+240D, U+240A and U+2400, so that one record is one line for every reader.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bartizan.crawl.filters import kept
from bartizan.crawl.quality import Quality, quality
from bartizan.engines.base import Engine
from bartizan.errors import ConfigError
from bartizan.model.connector import Connector
from bartizan.model.window import Window, aware, merged, naive

_PICTURES = {"\r": "\u240d", "\n": "\u240a", "\0": "\u2400"}


@dataclass(frozen=True)
class Cut:
    """The part of a window: its CSV file, rows in it, quality, and what the source delivered.

    `delivered` are the parts for which it did, rows or not.
    """

    content: bytes
    rows: int
    quality: Quality
    delivered: tuple[Window, ...]


@dataclass(frozen=True)
class MetricRows:
    """Fields of CSV by column, in order of `starts`, the interval start of each row (naive UTC).

    `arrived` are the starts of the intervals that had a row before filters; None: the source is
    complete, and an interval without a row is one in which there was nothing.
    """

    connector: Connector
    starts: np.ndarray
    fields: pa.Table
    lines: pa.Array
    arrived: np.ndarray | None

    def cut(self, window: Window) -> Cut:
        """The intervals that start in `window`."""
        first, last = self._places(self.starts, window)
        return Cut(
            _content(self.connector.columns, self.lines[first:last]),
            last - first,
            quality(self.fields.slice(first, last - first), self.connector),
            self._delivered(window),
        )

    def _delivered(self, window: Window) -> tuple[Window, ...]:
        if self.arrived is None:
            return (window,)
        first, last = self._places(self.arrived, window)
        starts = [aware(start.item()) for start in self.arrived[first:last]]
        step = self.connector.frequency
        return tuple(merged(Window(start, start + step) for start in starts))

    @staticmethod
    def _places(starts: np.ndarray, window: Window) -> tuple[int, int]:
        edges = [np.datetime64(naive(edge), "s") for edge in (window.start, window.end)]
        first, last = np.searchsorted(starts, edges)
        return int(first), int(last)


def fetch(engine: Engine, connector: Connector, window: Window) -> MetricRows:
    """Run the query over the window, once."""
    return as_lines(answer(engine, connector, window), connector, window)


def answer(engine: Engine, connector: Connector, window: Window) -> pa.Table:
    """All columns the query returns. Raises ConfigError unless each that is needed is one."""
    rows = engine.query(connector.query, window, connector.origin)
    needed = [*connector.columns, *(name for name, _ in connector.filters)]
    if lacking := [name for name in needed if name not in rows.column_names]:
        raise ConfigError(
            f"{connector.origin}: {lacking[0]}",
            f"is not among the columns it returns: {', '.join(rows.column_names)}",
            "select it or correct connector.yaml",
        )
    if twice := [name for name in needed if rows.column_names.count(name) > 1]:
        raise ConfigError(
            f"{connector.origin}: {twice[0]}", "is returned twice", "give each its own name"
        )
    return rows


def as_lines(rows: pa.Table, connector: Connector, window: Window) -> MetricRows:
    """The rows that pass the connector's filters, as lines of CSV.

    They are ordered by interval, dimensions, time and values. Raises ConfigError when a column
    has no fitting type or a row lies outside the window.
    """
    times = _times(rows, connector, window)
    step = int(connector.frequency.total_seconds())
    starts = pc.floor_temporal(times, multiple=step, unit="second")
    arrived = None if connector.reads_lake else np.unique(_seconds(starts))
    passed = kept(rows, connector)
    rows, times, starts = rows.filter(passed), times.filter(passed), starts.filter(passed)
    columns = [
        times.cast(pa.string()),  # as strftime would write them, thirty times as fast
        *(_texts(rows, name, connector) for name in connector.dimensions),
        *(_values(rows, name, connector) for name in connector.value_columns),
    ]
    order = _order(starts, columns, len(connector.dimensions))
    lines = pc.binary_join_element_wise(*columns, ",").take(order)
    fields = pa.table(columns, list(connector.columns)).take(order)
    return MetricRows(connector, _seconds(starts.take(order)), fields, lines, arrived)


def _seconds(times: pa.Array) -> np.ndarray:
    seconds: np.ndarray = times.to_numpy(zero_copy_only=False).astype("datetime64[s]")
    return seconds


def _times(rows: pa.Table, connector: Connector, window: Window) -> pa.Array:
    """The timestamp column in naive UTC seconds, all of it within the window."""
    origin, column = f"{connector.origin}: {connector.timestamp}", rows[connector.timestamp]
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


def _values(rows: pa.Table, name: str, connector: Connector) -> pa.Array:
    """A column that measures are made from, as CSV fields."""
    is_text = name in connector.text_columns
    return _texts(rows, name, connector) if is_text else _numbers(rows, name, connector)


def _texts(rows: pa.Table, name: str, connector: Connector) -> pa.Array:
    """Any text as CSV fields; NULL is the empty field. Each distinct one is worked out once."""
    encoded = _cast(rows, name, connector, pa.string(), "cast it to varchar").dictionary_encode()
    texts = encoded.dictionary
    for control, picture in _PICTURES.items():
        texts = pc.replace_substring(texts, control, picture)
    quoted = pc.binary_join_element_wise('"', pc.replace_substring(texts, '"', '""'), '"', "")
    fields = pc.if_else(pc.match_substring_regex(texts, '[",]'), quoted, texts)
    return fields.take(encoded.indices)


def _numbers(rows: pa.Table, name: str, connector: Connector) -> pa.Array:
    """A measure as CSV fields; NULL, NaN and infinity are the empty field: no value."""
    type_ = rows.schema.field(name).type
    if pa.types.is_floating(type_):
        values = rows[name]
        finite = pc.is_finite(values).fill_null(False)
        return _array(pc.if_else(finite, values.cast(pa.string()), ""))
    if not (pa.types.is_integer(type_) or pa.types.is_decimal(type_)):
        raise ConfigError(
            f"{connector.origin}: {name}",
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
        origin = f"{connector.origin}: {name}"
        raise ConfigError(origin, f"type {rows[name].type} is no text", remedy) from error


def _content(columns: Sequence[str], lines: pa.Array) -> bytes:
    """The header and the lines, each with its line end, as UTF-8."""
    header = pa.array([",".join(columns)])
    every = pa.concat_arrays([header, lines, pa.array([""])])
    joined = pc.binary_join(pa.ListArray.from_arrays([0, len(every)], every), "\n")
    return bytes(joined[0].as_buffer())


def _order(starts: pa.Array, columns: list[pa.Array], dimensions: int) -> pa.Array:
    """Indices that sort by interval, dimensions, then time and values."""
    time, texts, numbers = columns[0], columns[1 : dimensions + 1], columns[dimensions + 1 :]
    keys = [starts, *texts, time, *numbers]
    names = [str(position) for position in range(len(keys))]
    return pc.sort_indices(pa.table(keys, names), [(name, "ascending") for name in names])


def _array(column: pa.ChunkedArray) -> pa.Array:
    combined = column.combine_chunks()
    return combined if isinstance(combined, pa.Array) else pa.array([], column.type)
