"""Live metrics: a folder per interval, `<connector>/live/{yyyyMMdd}/{HHmm}`, named by its start."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from upath import UPath

from bartizan.crawl.files import MetricFile, write
from bartizan.crawl.rows import fetch
from bartizan.engines import DuckDBEngine
from bartizan.model.connector import Connector
from bartizan.model.window import Window, floor, merged


@dataclass(frozen=True)
class CrawlResult:
    """intervals = written + unchanged (there with equal bytes); `rows` is of all of them."""

    connector: str
    intervals: int
    written: int
    unchanged: int
    rows: int


def crawl(
    engine: DuckDBEngine, connector: Connector, metrics: UPath, windows: Sequence[Window]
) -> CrawlResult:
    """Write the files of every interval that lies wholly inside the windows.

    One query a window. Running it again writes nothing unless the source's rows changed.
    """
    done = []
    for window in whole_intervals(windows, connector.frequency):
        rows = fetch(engine, connector, window)
        for interval in window.split(connector.frequency):
            done.append(write(rows, live_file(connector, metrics, interval)))
    written = sum(item.changed for item in done)
    return CrawlResult(
        connector=connector.name,
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


def whole_intervals(windows: Sequence[Window], frequency: timedelta) -> list[Window]:
    """The windows cut to whole intervals; what is shorter than one is left out."""
    inner = []
    for window in merged(windows):
        start = floor(window.start + frequency - timedelta(microseconds=1), frequency)
        end = floor(window.end, frequency)
        if start < end:
            inner.append(Window(start, end))
    return inner
