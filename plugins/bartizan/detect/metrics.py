"""Read a connector's metric files, laid out by the Lookout for Metrics S3 contract.

    <root>/backtest/*.csv                       history; sub-folders are ignored
    <root>/live/<yyyyMMdd>/<HHmm>/*.csv         one folder per interval, named by its start
    .../_manifest.json                          {"start", "end", "rows"}: this span was written

Files are CSV with a header (plain, or gzip as .csv.gz); those whose name starts with "_" are not
data. A manifest makes its whole span covered, rows or not. Times are yyyy-MM-dd HH:mm:ss, UTC.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv
from upath import UPath

from bartizan.detect.panel import TIME, Times, interval_starts
from bartizan.errors import BartizanError, SourceError
from bartizan.model.connector import Connector
from bartizan.model.window import DAY, Window, floor, naive

TIME_FORMAT = "%Y-%m-%d %H:%M:%S"


@dataclass(frozen=True)
class MetricFrame:
    """`frame` as `learn` and `score` take it; `covered` the interval starts the source delivered.

    `rows` were read; of these `rejected` counts by reason what the frame leaves out:
    bad_row (wrong number of fields), bad_time, bad_value (not a finite number),
    outside_interval (a live row whose time is not in its folder's interval),
    outside_window (a history row of another time than asked for).
    """

    frame: pd.DataFrame
    covered: pd.DatetimeIndex
    rows: int
    rejected: dict[str, int]


@dataclass(frozen=True)
class _File:
    """A file by its path in the file system, and the span its rows may have."""

    path: str
    span: Window


def read_history(root: UPath, connector: Connector, window: Window) -> MetricFrame:
    """Rows of `window` in <root>/backtest. Raises SourceError for a file that is no such CSV."""
    folder = f"{root.path}/backtest"
    paths = root.fs.find(folder, maxdepth=1) if root.fs.isdir(folder) else []
    files = [_File(path, window) for path in sorted(paths)]
    return _read(root, files, connector, window, outside="outside_window")


def read_live(root: UPath, connector: Connector, window: Window) -> MetricFrame:
    """Rows of the live folders of `window`. Raises SourceError for a file that is no such CSV."""
    files = sorted(_live_files(root, connector, window), key=lambda file: file.path)
    return _read(root, files, connector, window, outside="outside_interval")


def _live_files(root: UPath, connector: Connector, window: Window) -> Iterator[_File]:
    """Files of the interval folders that lie in the window; one listing per day."""
    for day in Window(floor(window.start, DAY), window.end).split(DAY):
        folder = f"{root.path}/live/{day.start:%Y%m%d}"
        for path in root.fs.find(folder, maxdepth=2) if root.fs.isdir(folder) else []:
            try:
                start = datetime.strptime("/".join(path.split("/")[-3:-1]), "%Y%m%d/%H%M")
            except ValueError:
                continue  # not an interval folder
            span = Window(
                start.replace(tzinfo=UTC), start.replace(tzinfo=UTC) + connector.frequency
            )
            if span.overlaps(window):
                yield _File(path, span)


def _read(
    root: UPath, files: list[_File], connector: Connector, window: Window, outside: str
) -> MetricFrame:
    delivered: list[Times] = []
    tables: list[pa.Table] = []
    rejected = dict.fromkeys(("bad_row", "bad_time", "bad_value", outside), 0)
    for file in files:
        name = file.path.rsplit("/", 1)[-1]
        if name.startswith("_manifest") and name.endswith(".json"):
            delivered.append(_manifest(root, file, connector))
        elif name.endswith((".csv", ".csv.gz")) and not name.startswith("_"):
            table, broken = _parse(root, file, connector)
            rejected["bad_row"] += broken
            tables.append(table)
    frame, rows = _typed(tables, connector, rejected, outside)
    rows += rejected["bad_row"]
    delivered.append(frame[TIME].to_numpy(dtype="datetime64[us]"))
    covered = np.intersect1d(
        np.concatenate(delivered), interval_starts(window, connector.frequency)
    )
    return MetricFrame(frame, pd.DatetimeIndex(covered), rows, rejected)


def _manifest(root: UPath, file: _File, connector: Connector) -> Times:
    try:
        facts = json.loads(root.fs.cat_file(file.path))
        return interval_starts(Window.from_json(facts), connector.frequency)
    except (ValueError, KeyError, TypeError, BartizanError) as error:
        raise SourceError(
            file.path, f"not a manifest ({error!r})", "write the interval again with crawl"
        ) from error


def _parse(root: UPath, file: _File, connector: Connector) -> tuple[pa.Table, int]:
    """One file as text columns with the bounds its times must keep; and the broken rows."""
    broken = 0

    def skip(_row: csv.InvalidRow) -> str:
        nonlocal broken
        broken += 1
        return "skip"

    columns = list(connector.columns)
    compression = "gzip" if file.path.endswith(".gz") else None
    try:
        table = csv.read_csv(
            pa.input_stream(io.BytesIO(root.fs.cat_file(file.path)), compression=compression),
            parse_options=csv.ParseOptions(newlines_in_values=True, invalid_row_handler=skip),
            convert_options=csv.ConvertOptions(
                column_types=dict.fromkeys(columns, pa.string()), include_columns=columns
            ),
        )
    except (pa.ArrowInvalid, pa.ArrowKeyError, OSError) as error:
        raise SourceError(
            file.path,
            f"not a UTF-8 CSV file with the columns {', '.join(columns)} ({error})",
            "write it again from the connector's query",
        ) from error
    for name, instant in (("from ", file.span.start), ("until ", file.span.end)):
        bound = pa.scalar(naive(instant), pa.timestamp("us"))
        table = table.append_column(name, pa.repeat(bound, table.num_rows))
    return table, broken


def _typed(
    tables: list[pa.Table], connector: Connector, rejected: dict[str, int], outside: str
) -> tuple[pd.DataFrame, int]:
    """The good rows as an input frame, counting the others; and how many rows there were."""
    schema = pa.schema(
        [(name, pa.string()) for name in connector.columns]
        + [("from ", pa.timestamp("us")), ("until ", pa.timestamp("us"))]
    )
    table = pa.concat_tables([schema.empty_table(), *tables])
    time = pc.strptime(
        table[connector.timestamp], format=TIME_FORMAT, unit="us", error_is_null=True
    )
    numbers = {
        measure.name: pd.to_numeric(table[measure.name].to_pandas(), errors="coerce").to_numpy(
            dtype=float
        )
        for measure in connector.measures
    }
    dated = pc.is_valid(time).to_numpy()
    finite = np.logical_and.reduce([np.isfinite(values) for values in numbers.values()])
    within = pc.and_(
        pc.greater_equal(time, table["from "]), pc.less(time, table["until "])
    ).fill_null(False).to_numpy()  # fmt: skip
    rejected["bad_time"] += int((~dated).sum())
    rejected["bad_value"] += int((dated & ~finite).sum())
    rejected[outside] += int((dated & finite & ~within).sum())
    good = dated & finite & within
    step = np.timedelta64(connector.frequency, "us")
    instants = time.to_numpy()[good].astype("datetime64[us]")
    since = instants - np.datetime64(0, "us")
    columns = {TIME: instants - since % step}
    columns |= {name: table[name].to_pandas().to_numpy()[good] for name in connector.dimensions}
    columns |= {name: values[good] for name, values in numbers.items()}
    return pd.DataFrame(columns), table.num_rows
