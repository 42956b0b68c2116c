"""Live metrics: a folder per interval, `<connector>/live/{yyyyMMdd}/{HHmm}`, named by its start.

What was backfilled is history and is not crawled as well, so an asset event about months of landed
history makes no live folders. Late records of such an hour want the backfill again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from upath import UPath

from bartizan.crawl.files import MetricFile, write
from bartizan.crawl.history import chunk_windows
from bartizan.crawl.intervals import whole_intervals
from bartizan.crawl.rows import fetch
from bartizan.engines import DuckDBEngine
from bartizan.model.connector import Connector
from bartizan.model.window import Window, without


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
    engine: DuckDBEngine, connector: Connector, metrics: UPath, windows: Sequence[Window]
) -> CrawlResult:
    """Write the files of every interval that lies wholly inside the windows and was not backfilled.

    One query a window. Running it again writes nothing unless the source's rows changed.
    """
    live = without(windows, chunk_windows(connector, metrics))
    whole = whole_intervals(live, connector.frequency)
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
