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

from bartizan.crawl.chunks import chunk_windows
from bartizan.crawl.files import MetricFile, Written, write
from bartizan.crawl.intervals import touched_intervals, whole_intervals
from bartizan.crawl.rows import fetch
from bartizan.engines.base import Engine
from bartizan.model.connector import Connector
from bartizan.model.window import DAY, Window, merged, without

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class CrawlResult:
    """`windows` are what was crawled, without what was looked at once more in vain; intervals =
    written + unchanged (there with equal bytes); `rows` is of all of them. Of what was asked for,
    `backfilled` is history already, and `waiting` is what the source has nothing of so far."""

    connector: str
    windows: tuple[Window, ...]
    intervals: int
    written: int
    unchanged: int
    rows: int
    backfilled: tuple[Window, ...] = ()
    waiting: tuple[Window, ...] = ()


def crawl(
    engine: Engine,
    connector: Connector,
    metrics: UPath,
    windows: Sequence[Window],
    until: datetime,
    again: Sequence[Window] = (),
) -> CrawlResult:
    """Write the files of every interval that the windows touch, that ended by `until` (the time up
    to which the source is complete), and that was not backfilled. A connector's offset holds
    intervals back; the windows of a later run bring them. `again` are whole intervals to look at
    once more, because the source may have delivered them late.

    One query a window. Running it again writes nothing unless the source's rows changed.
    """
    backfilled = chunk_windows(connector, metrics)
    touched = due_windows(connector, windows, until)
    new = without(touched, backfilled)
    history = without(touched, new)
    for stale in history:
        log.info("%s: %s was backfilled and is not crawled", connector.name, stale)
    asked = whole_intervals(new, connector.frequency)
    late = whole_intervals(without(again, [*backfilled, *asked]), connector.frequency)
    done: list[Written] = []
    come: list[Window] = []
    for window in merged([*asked, *late]):
        rows = fetch(engine, connector, window)
        for interval in window.split(connector.frequency):
            file = live_file(connector, metrics, interval)
            done.append(write(connector.name, rows.cut(interval), file))
            if done[-1].changed:
                come.append(interval)
    written = sum(item.changed for item in done)
    return CrawlResult(
        connector=connector.name,
        windows=tuple(merged([*asked, *come])),
        intervals=len(done),
        written=written,
        unchanged=len(done) - written,
        rows=sum(item.rows for item in done),
        backfilled=tuple(history),
        waiting=tuple(without(windows, touched)),
    )


def without_rows(connector: Connector, metrics: UPath, window: Window) -> list[Window]:
    """The whole intervals of a window for which there is no CSV file: never crawled, or crawled
    when the source had nothing."""
    there: set[str] = set()
    for day in window.pieces(DAY):
        folder = metrics / connector.name / "live" / f"{day.start:%Y%m%d}"
        there |= {path.path for path in folder.glob(f"*/{connector.name}.csv")}
    intervals = (
        interval
        for whole in whole_intervals([window], connector.frequency)
        for interval in whole.split(connector.frequency)
    )
    return merged(
        one for one in intervals if live_file(connector, metrics, one).csv.path not in there
    )


def due_windows(connector: Connector, windows: Sequence[Window], until: datetime) -> list[Window]:
    """The whole intervals that a run over `windows` brings: held back by the connector's offset,
    and over by `until`."""
    held_back = connector.held_back
    reaching_back = [Window(window.start - held_back, window.end) for window in windows]
    return touched_intervals(reaching_back, connector.frequency, until - held_back)


def live_file(connector: Connector, metrics: UPath, interval: Window) -> MetricFile:
    """The file of one interval."""
    day = metrics / connector.name / "live" / f"{interval.start:%Y%m%d}"
    folder = day / f"{interval.start:%H%M}"
    return MetricFile(interval, folder / f"{connector.name}.csv", folder / "_manifest.json")
