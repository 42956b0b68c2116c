"""Jobs for connectors whose metric files others write: they are only read."""

# ruff: noqa: PLC0415  (rooms are imported when they are used: DAG files are parsed often)

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bartizan.jobs.here import settings
from bartizan.model.window import Window, merged, without

if TYPE_CHECKING:
    from bartizan.crawl.live import CrawlResult
    from bartizan.crawl.rows import Cut
    from bartizan.detect.metrics import MetricFrame
    from bartizan.model.connector import Connector

SAMPLE = 5


def arrived(connector: Connector, windows: Sequence[Window]) -> CrawlResult:
    """Look for the intervals of the windows and note in manifests what they hold.

    The result's windows are the intervals that have rows, those that have none are `waiting`.
    """
    from bartizan.crawl.files import note
    from bartizan.crawl.live import CrawlResult, live_file
    from bartizan.detect.metrics import read_live

    metrics = settings().metrics
    come, noted = [], []
    for interval in (one for window in windows for one in window.split(connector.frequency)):
        found = read_live(metrics / connector.name, connector, interval)
        if len(found.covered):
            come.append(interval)
        cut = _cut(connector, found, interval)
        noted.append(note(connector.name, cut, live_file(connector, metrics, interval)))
    written = sum(one.changed for one in noted)
    return CrawlResult(
        connector=connector.name,
        windows=tuple(merged(come)),
        intervals=len(noted),
        written=written,
        unchanged=len(noted) - written,
        rows=sum(one.rows for one in noted),
        waiting=tuple(without(windows, come)),
    )


def _cut(connector: Connector, found: MetricFrame, interval: Window) -> Cut:
    """What was read of an interval, as if we had written it; rows that are not even in the frame
    are invalid ones."""
    import pyarrow as pa

    from bartizan.crawl.quality import quality
    from bartizan.crawl.rows import Cut

    names = [*connector.dimensions, *connector.value_columns]
    texts = found.frame[names].astype(object).where(found.frame[names].notna(), "").astype(str)
    fields = pa.table({name: pa.array(texts[name], pa.string()) for name in names})
    fields = fields.append_column(connector.timestamp, pa.repeat("read", len(texts)))
    seen = quality(fields, connector)
    unread = found.rows - len(texts)
    seen = replace(seen, rows=found.rows, invalid=seen.invalid + unread)
    return Cut(b"", found.rows, seen, (interval,) if len(found.covered) else ())


def check_files(connector: Connector, window: Window) -> dict[str, Any]:
    """What the files of a window hold: live ones, or those of history where none are live."""
    from bartizan.detect.metrics import read_history, read_live

    root = settings().metrics / connector.name
    is_live = connector.source is not None and connector.source.live is not None
    found = (read_live if is_live else read_history)(root, connector, window)
    series = found.frame[list(connector.dimensions)].drop_duplicates()
    intervals = len(list(window.split(connector.frequency)))
    return {
        "connector": connector.name,
        "window": str(window),
        "intervals": intervals,
        "returned": found.rows,
        "rows": len(found.frame),
        "series": (len(series) if connector.dimensions else min(len(found.frame), 1))
        * len(connector.measures),
        "cardinality": {name: int(series[name].nunique()) for name in connector.dimensions},
        "reads": [],
        "sample": found.frame.head(SAMPLE).astype(str).to_dict("records"),
        "warnings": list(_warnings(connector, found, intervals)),
    }


def _warnings(connector: Connector, found: MetricFrame, intervals: int) -> Iterator[str]:
    from bartizan.model.java_time import traps
    from bartizan.model.template import template_traps

    if connector.source is not None:
        yield from template_traps(connector.source.live or "")
        yield from traps(connector.source.timestamp_format)
    if empty := intervals - len(found.covered):
        yield f"{empty} of {intervals} intervals have no rows: they are gaps"
    for reason, rows in found.rejected.items():
        if rows:
            yield f"{rows} of {found.rows} rows cannot be used: {reason}"
    if found.partial:
        yield f"{found.partial} of {found.rows} rows lack some of their values"
