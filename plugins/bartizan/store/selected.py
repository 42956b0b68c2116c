"""Sums of stored scores: of one measure, of the series that have some dimension values.

DuckDB reads only the columns and rows that it needs, so that a day of 10,000 series takes
milliseconds. It adds in any order, so sums are rounded to what no order changes.
"""

from __future__ import annotations

import atexit
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from pathlib import Path

import duckdb
import pyarrow as pa

from bartizan.model.connector import Connector
from bartizan.model.window import Window, aware, naive
from bartizan.store.scores import day_of, score_files

Pairs = Sequence[tuple[str, str]]

_DIGITS = 6  # after the point

_BY_INTERVAL = """
select
    interval_start,
    count(*) as series,
    round(fsum(value) filter (isfinite(value)), {digits}) as value,
    round(fsum(expected) filter (isfinite(expected)), {digits}) as expected,
    {range},
    max(severity) filter (not isnan(severity)) as severity,
    arg_max(direction, coalesce(nullif(severity, 'nan'), -1)) as direction,
    arg_max(reason, coalesce(nullif(severity, 'nan'), -1)) as reason
from read_parquet($files)
where {conditions}
group by interval_start
order by interval_start"""

_VALUES = """
select interval_start, round(fsum(value) filter (isfinite(value)), {digits}) as value
from read_parquet($files)
where {conditions}
group by interval_start"""

_RANGE = """min(lower) filter (isfinite(lower)) as lower,
    max(upper) filter (isfinite(upper)) as upper"""
_NO_RANGE = "null::double as lower, null::double as upper"  # two columns less to unpack

_BY_SERIES = """
select
    {dimensions},
    count(*) as intervals,
    round(fsum(value), {digits}) as value,
    round(fsum(case when isfinite(expected) then expected else 0 end), {digits}) as expected
from read_parquet($files)
where isfinite(value) and {conditions}
group by all
order by all"""


def interval_sums(
    root: Path, connector: Connector, measure: str, where: Pairs, window: Window
) -> pa.Table:
    """A row per interval, by time: interval_start, series, value, expected, lower, upper, severity
    (the highest), direction and reason (of the highest). What no series has is null, and so is the
    range from `lower` to `upper` unless every dimension has its value.

    `where` are values of dimensions of the connector; a null counts as an empty text.
    """
    return _read(_BY_INTERVAL, root, connector, measure, where, window)


def interval_values(
    root: Path, connector: Connector, measure: str, where: Pairs, window: Window
) -> dict[datetime, float | None]:
    """The values only, by interval; None where no series has one."""
    found = _read(_VALUES, root, connector, measure, where, window).to_pylist()
    return {aware(row["interval_start"]): row["value"] for row in found}


def series_sums(
    root: Path, connector: Connector, measure: str, where: Pairs, window: Window
) -> pa.Table:
    """A row per series, by its dimensions: these, intervals, value and expected. An interval
    without a value counts for nothing; without an expectation, 0 was expected."""
    return _read(_BY_SERIES, root, connector, measure, where, window)


def affordable(root: Path, connector: Connector, window: Window, most: int) -> Window:
    """The last part of a window whose scores are at most so many bytes; a day of them at least."""
    start, left = window.end, most
    for path in reversed(score_files(root, connector, window)):
        left -= path.stat().st_size
        if left < 0 and start < window.end:
            return Window(max(start, window.start), window.end)
        start = day_of(path)
    return window


def _read(
    query: str, root: Path, connector: Connector, measure: str, where: Pairs, window: Window
) -> pa.Table:
    """An empty table, without columns, where there are no files."""
    files = [str(path) for path in score_files(root, connector, window)]
    if not files:
        return pa.table({})
    conditions = ["interval_start >= $start", "interval_start < $end", "measure = $measure"]
    conditions += [
        f"{_quoted(name) if value else _text(name)} = $value_{place}"
        for place, (name, value) in enumerate(where)
    ]
    dimensions = [f"{_text(name)} as {_quoted(name)}" for name in connector.dimensions]
    given = {
        "files": files,
        "measure": measure,
        "start": naive(window.start),
        "end": naive(window.end),
    } | {f"value_{place}": value for place, (_, value) in enumerate(where)}
    is_one = {name for name, _ in where} == set(connector.dimensions)
    text = query.format(
        conditions=" and ".join(conditions),
        dimensions=", ".join(dimensions) or "'' as everything",
        range=_RANGE if is_one else _NO_RANGE,
        digits=_DIGITS,
    )
    return _database().cursor().sql(text, params=given).to_arrow_table()


@cache
def _database() -> duckdb.DuckDBPyConnection:
    """One without tables for the whole process, as to make one takes longer than most readings."""
    made = duckdb.connect(config={"memory_limit": "1GB"})
    atexit.register(_database.cache_clear)
    return made


def _text(name: str) -> str:
    return f"coalesce({_quoted(name)}, '')"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
