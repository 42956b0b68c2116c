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
from bartizan.detect.panel import TIME, Times, interval_starts
from bartizan.detect.parse import parse
from bartizan.detect.timestamps import instants
from bartizan.errors import BartizanError, SourceError
from bartizan.model.connector import Connector
from bartizan.model.source import Source
from bartizan.model.window import Window, naive

_FROM, _UNTIL = "from ", "until "  # no column is called so


@dataclass(frozen=True)
class MetricFrame:
    """`frame` as `learn` and `score` take it; `covered` the interval starts the source delivered.

    `rows` were read, without those that the filters of files of others leave out. Of these
    `rejected` counts by reason what the frame leaves out: bad_row (wrong number of fields, no JSON
    object), bad_time, outside_interval (a live row whose time is not in its folder's interval),
    outside_window (a history row of another time than asked for); and bad_value, rows that are in
    the frame without any value. `partial` rows are there without some of their values.
    """

    frame: pd.DataFrame
    covered: pd.DatetimeIndex
    rows: int
    rejected: dict[str, int]
    partial: int = 0


def read_history(root: UPath, connector: Connector, window: Window) -> MetricFrame:
    """Rows of `window` among the files of history. Raises SourceError for a file that is none."""
    source = connector.source or own_source(root)
    files = history_files(source, root, window)
    return _read(files, source, connector, window, outside="outside_window")


def read_live(root: UPath, connector: Connector, window: Window) -> MetricFrame:
    """Rows of the live folders of `window`. Raises SourceError for a file that is none."""
    source = connector.source or own_source(root)
    files = live_files(source, root, window, connector.frequency)
    return _read(files, source, connector, window, outside="outside_interval")


def _read(
    files: Sequence[Found], source: Source, connector: Connector, window: Window, outside: str
) -> MetricFrame:
    rejected = dict.fromkeys(("bad_row", "bad_time", "bad_value", outside), 0)
    delivered = [_delivered(file, connector) for file in files if file.is_manifest]
    tables = []
    for file in files:
        if not file.is_manifest:
            table, broken = _table(file, source, connector)
            rejected["bad_row"] += broken
            tables.append(table)
    columns = [*_columns(source, connector), _FROM, _UNTIL]
    types = [pa.string()] * (len(columns) - 2) + [pa.timestamp("us")] * 2
    empty = pa.schema(list(zip(columns, types, strict=True))).empty_table()
    table = pa.concat_tables([empty, *tables])
    if connector.source is not None:
        table = table.filter(_kept(table, connector))
    frame, partial = _typed(table, source, connector, rejected, outside)
    delivered.append(frame[TIME].to_numpy(dtype="datetime64[us]"))
    covered = np.intersect1d(
        np.concatenate(delivered), interval_starts(window, connector.frequency)
    )
    rows = table.num_rows + rejected["bad_row"]
    return MetricFrame(frame, pd.DatetimeIndex(covered), rows, rejected, partial)


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


def _table(file: Found, source: Source, connector: Connector) -> tuple[pa.Table, int]:
    """One file as text columns with the bounds its times must keep; and the broken rows."""
    columns = _columns(source, connector)
    table, broken = parse(file.content, file.path, source.format, columns)
    for name, instant in ((_FROM, file.span.start), (_UNTIL, file.span.end)):
        bound = pa.scalar(naive(instant), pa.timestamp("us"))
        table = table.append_column(name, pa.repeat(bound, table.num_rows))
    return table, broken


def _kept(table: pa.Table, connector: Connector) -> pa.ChunkedArray:
    """Whether each row passes the connector's filters: AND across columns, OR within one."""
    kept = pa.chunked_array([pa.repeat(True, table.num_rows)])
    for name, values in connector.filters:
        kept = pc.and_(kept, pc.is_in(table[name], pa.array(values, pa.string())))
    return kept


def _typed(
    table: pa.Table, source: Source, connector: Connector, rejected: dict[str, int], outside: str
) -> tuple[pd.DataFrame, int]:
    """The rows at a time of theirs as an input frame, counting the others; how many are partial."""
    time = instants(table[connector.timestamp], source.timestamp_format, source.timezone)
    values = {name: _values(table, name, connector) for name in connector.value_columns}
    lacking = np.array([_lacks_value(column) for column in values.values()])
    dated, useless = ~np.isnat(time), lacking.all(axis=0)
    bounds = [table[name].to_numpy() for name in (_FROM, _UNTIL)]
    within = (time >= bounds[0]) & (time < bounds[1])
    good = dated & within
    rejected["bad_time"] += int((~dated).sum())
    rejected["bad_value"] += int((good & useless).sum())
    rejected[outside] += int((dated & ~within).sum())
    step = np.timedelta64(connector.frequency, "us")
    since = time[good] - np.datetime64(0, "us")
    columns = {TIME: time[good] - since % step}
    columns |= {
        name: table[name].fill_null("").to_pandas().to_numpy()[good]
        for name in connector.dimensions
    }
    columns |= {name: column[good] for name, column in values.items()}
    return pd.DataFrame(columns), int((good & lacking.any(axis=0) & ~useless).sum())


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
