"""Live metrics: a folder per interval, `<connector>/live/{yyyyMMdd}/{HHmm}`, named by its start.

What was backfilled is history and is not crawled as well, so an asset event about months of landed
history makes no live folders. Late records of such an hour want the backfill again.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from upath import UPath

from bartizan.crawl.files import MetricFile, write
from bartizan.crawl.history import chunk_windows
from bartizan.crawl.intervals import touched_intervals, whole_intervals
from bartizan.crawl.rows import fetch
from bartizan.engines import DuckDBEngine
from bartizan.model.connector import Connector
from bartizan.model.window import Window, without

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class CrawlResult:
    """`windows` are what was crawled; intervals = written + unchanged (there with equal bytes);
    `rows` is of all of them."""

    connector: str
    windows: tuple[Window, ...]
    intervals: int
    written: int
    unchanged: int
    rows: int


def crawl(
    engine: DuckDBEngine,
    connector: Connector,
    metrics: UPath,
    windows: Sequence[Window],
    until: datetime,
) -> CrawlResult:
    """Write the files of every interval that the windows touch, that ended by `until` (the time up
    to which the source is complete), and that was not backfilled. A connector's offset holds
    intervals back; the windows of a later run bring them.

    One query a window. Running it again writes nothing unless the source's rows changed.
    """
    backfilled = chunk_windows(connector, metrics)
    for stale in (window for window in windows if any(map(window.overlaps, backfilled))):
        log.info("%s: %s was backfilled and is not crawled", connector.name, stale)
    held_back = connector.held_back
    reaching_back = [Window(window.start - held_back, window.end) for window in windows]
    touched = touched_intervals(reaching_back, connector.frequency, until - held_back)
    whole = whole_intervals(without(touched, backfilled), connector.frequency)
    done = []
    for window in whole:
        rows = fetch(engine, connector, window)
        for interval in window.split(connector.frequency):
            done.append(write(rows, live_file(connector, metrics, interval)))
    written = sum(item.changed for item in done)
    return CrawlResult(
        connector=connector.name,
        windows=tuple(whole),
        intervals=len(done),
        written=written,
        unchanged=len(done) - written,
        rows=sum(item.rows for item in done),
    )


def live_file(connector: Connector, metrics: UPath, interval: Window) -> MetricFile:
    """The file of one interval."""
    day = metrics / connector.name / "live" / f"{interval.start:%Y%m%d}"
    folder = day / f"{interval.start:%H%M}"
    return MetricFile(interval, folder / f"{connector.name}.csv", folder / "_manifest.json")
