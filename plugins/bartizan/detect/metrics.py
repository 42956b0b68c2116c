"""Read a connector's metric files into a frame: its own, or those that others write for it.

    <root>/backtest/*.csv                       history; sub-folders are ignored
    <root>/live/<yyyyMMdd>/<HHmm>/*.csv         one folder per interval, named by its start
    .../_manifest.json                          {"start", "end", "delivered"}: what was written

A manifest covers the parts of its span that the source delivered, rows or not. Where the files of
others are, and in which form, is the connector's `source` (`listing.py`, `parse.py`).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from upath import UPath

from bartizan.detect.listing import Found, history_files, live_files, own_source
from bartizan.detect.panel import TIME, Flags, Times, interval_starts
from bartizan.detect.parse import parse
from bartizan.detect.timestamps import instants
from bartizan.errors import BartizanError, SourceError
from bartizan.model.connector import Connector
from bartizan.model.source import Source
from bartizan.model.window import Window, naive

_FROM, _UNTIL, _FILE, _ROW = "from ", "until ", "file ", "row "  # no column is called so
EXAMPLES = 5  # bad rows of each reason that are named


@dataclass(frozen=True)
class BadRow:
    """A row that cannot be used. `row` counts the records of `file` from 1, a header among them;
    `value` is what stands in `column`, or the whole line where it is no record.
    """

    file: str
    row: int
    reason: str
    column: str
    value: str


@dataclass(frozen=True)
class MetricFrame:
    """`frame` as `learn` and `score` take it; `covered` the interval starts the source delivered.

    `rows` were read, without those that the filters of files of others leave out. Of these
    `rejected` counts by reason what the frame leaves out: bad_row (wrong number of fields, no JSON
    object), bad_time, outside_interval (a live row whose time is not in its folder's interval),
    outside_window (a history row of another time than asked for); and bad_value, rows that are in
    the frame without any value. `partial` rows are there without some of their values. `examples`
    are the first of the rejected rows.
    """

    frame: pd.DataFrame
    covered: pd.DatetimeIndex
    rows: int
    rejected: dict[str, int]
    partial: int = 0
    examples: tuple[BadRow, ...] = ()


def read_history(root: UPath, connector: Connector, window: Window) -> MetricFrame:
    """Rows of `window` among the files of history. Raises SourceError for a file that is none."""
    source = connector.source or own_source(root)
    files = history_files(source, root, window)
    return read_files(files, source, connector, window, outside="outside_window")


def read_live(root: UPath, connector: Connector, window: Window) -> MetricFrame:
    """Rows of the live folders of `window`. Raises SourceError for a file that is none."""
    source = connector.source or own_source(root)
    files = live_files(source, root, window, connector.frequency)
    return read_files(files, source, connector, window, outside="outside_interval")


def read_files(
    files: Sequence[Found], source: Source, connector: Connector, window: Window, outside: str
) -> MetricFrame:
    """Rows of the files, each within its file's span; the others are counted as `outside`."""
    examples: list[BadRow] = []
    rejected = dict.fromkeys(("bad_row", "bad_time", "bad_value", outside), 0)
    delivered = [_delivered(file, connector) for file in files if file.is_manifest]
    tables = []
    for file in files:
        if not file.is_manifest:
            table, broken = _table(file, source, connector)
            rejected["bad_row"] += len(broken)
            examples += broken[: max(EXAMPLES - len(examples), 0)]
            tables.append(table)
    names = _columns(source, connector)
    columns = [*names, _FROM, _UNTIL, _FILE, _ROW]
    bounds = [pa.timestamp("us")] * 2
    types = [*[pa.string()] * len(names), *bounds, pa.string(), pa.int64()]
    empty = pa.schema(list(zip(columns, types, strict=True))).empty_table()
    table = pa.concat_tables([empty, *tables])
    if connector.source is not None:
        table = table.filter(_kept(table, connector))
    typed = _typed(table, source, connector)
    for reason, (column, bad) in typed.bad(outside).items():
        rejected[reason] += int(bad.sum())
        examples += _examples(table, column, bad, reason)
    delivered.append(typed.frame[TIME].to_numpy(dtype="datetime64[us]"))
    whole = window.aligned(connector.frequency)
    covered = np.unique(np.concatenate(delivered))
    covered = covered[covered >= np.datetime64(naive(whole.start))]
    covered = covered[covered < np.datetime64(naive(whole.end))]
    rows = table.num_rows + rejected["bad_row"]
    return MetricFrame(
        typed.frame, pd.DatetimeIndex(covered), rows, rejected, typed.partial, tuple(examples)
    )


def _delivered(file: Found, connector: Connector) -> Times:
    """Starts of the intervals that a manifest vouches for."""
    try:
        facts = json.loads(file.content)
        spans = [Window.from_json(span) for span in facts.get("delivered", [facts])]
        starts = [interval_starts(span, connector.frequency) for span in spans]
    except (ValueError, KeyError, TypeError, AttributeError, BartizanError) as error:
        raise SourceError(
            file.path, f"not a manifest ({error!r})", "write the interval again with crawl"
        ) from error
    return np.concatenate([np.array([], dtype="datetime64[us]"), *starts])


def _columns(source: Source, connector: Connector) -> list[str]:
    """The columns a file must have: filters were applied when our own were written."""
    filtered = [name for name, _ in connector.filters] if source is connector.source else []
    return list(dict.fromkeys([*connector.columns, *filtered]))


def _table(file: Found, source: Source, connector: Connector) -> tuple[pa.Table, list[BadRow]]:
    """One file as text columns with the bounds its times must keep; and the broken rows."""
    parsed = parse(file.content, file.path, source.format, _columns(source, connector))
    table = parsed.table
    for name, instant in ((_FROM, file.span.start), (_UNTIL, file.span.end)):
        bound = pa.scalar(naive(instant), pa.timestamp("us"))
        table = table.append_column(name, pa.repeat(bound, table.num_rows))
    table = table.append_column(_FILE, pa.repeat(file.path, table.num_rows))
    table = table.append_column(_ROW, pa.array(parsed.rows, pa.int64()))
    return table, [BadRow(file.path, row, "bad_row", "", text) for row, text in parsed.broken]


def _kept(table: pa.Table, connector: Connector) -> pa.ChunkedArray:
    """Whether each row passes the connector's filters: AND across columns, OR within one."""
    kept = pa.chunked_array([pa.repeat(True, table.num_rows)])
    for name, values in connector.filters:
        kept = pc.and_(kept, pc.is_in(table[name], pa.array(values, pa.string())))
    return kept


@dataclass(frozen=True)
class _Typed:
    """The rows at a time of theirs as an input frame, and what is wrong with the rows read."""

    frame: pd.DataFrame
    partial: int
    timestamp: str
    value: str
    dated: Flags
    within: Flags
    useless: Flags

    def bad(self, outside: str) -> dict[str, tuple[str, Flags]]:
        """By reason the column that is wrong, and the rows."""
        return {
            "bad_time": (self.timestamp, ~self.dated),
            "bad_value": (self.value, self.within & self.useless),
            outside: (self.timestamp, self.dated & ~self.within),
        }


def _typed(table: pa.Table, source: Source, connector: Connector) -> _Typed:
    time = instants(table[connector.timestamp], source.timestamp_format, source.timezone)
    values = {name: _values(table, name, connector) for name in connector.value_columns}
    lacking = np.array([_lacks_value(column) for column in values.values()])
    useless: Flags = np.logical_and.reduce(lacking, axis=0)
    bounds = [table[name].to_numpy() for name in (_FROM, _UNTIL)]
    within = (time >= bounds[0]) & (time < bounds[1])  # never of what is no time
    step = np.timedelta64(connector.frequency, "us")
    since = time[within] - np.datetime64(0, "us")
    columns = {TIME: time[within] - since % step}
    columns |= {
        name: table[name].fill_null("").to_pandas().to_numpy()[within]
        for name in connector.dimensions
    }
    columns |= {name: column[within] for name, column in values.items()}
    return _Typed(
        pd.DataFrame(columns),
        int((within & lacking.any(axis=0) & ~useless).sum()),
        connector.timestamp,
        connector.value_columns[0],
        ~np.isnat(time),
        within,
        useless,
    )


def _examples(table: pa.Table, column: str, bad: Flags, reason: str) -> list[BadRow]:
    some = table.take(np.flatnonzero(bad)[:EXAMPLES]).select([_FILE, _ROW, column]).to_pydict()
    return [
        BadRow(file, row, reason, column, value or "")
        for file, row, value in zip(some[_FILE], some[_ROW], some[column], strict=True)
    ]


def _values(table: pa.Table, name: str, connector: Connector) -> np.ndarray:
    """Any text, or a finite number, NaN where there is none."""
    texts = table[name].to_pandas()
    if name in connector.text_columns:
        return np.asarray(texts.to_numpy(), dtype=object)
    numbers = pd.to_numeric(texts, errors="coerce").to_numpy(dtype=float)
    return np.where(np.isfinite(numbers), numbers, np.nan)


def _lacks_value(column: np.ndarray) -> np.ndarray:
    """Whether there is no number, or no text."""
    lacks: np.ndarray = pd.isna(column) | (column == "" if column.dtype == object else False)
    return lacks
