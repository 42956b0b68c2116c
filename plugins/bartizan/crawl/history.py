"""History: files directly under `<connector>/backtest`, one per chunk, with a manifest each.

No two files cover the same interval, whatever was backfilled before: a chunk that overlaps the
range of earlier files grows to hold that range and replaces them. Readers may add up all files.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from upath import UPath

from bartizan.crawl.files import MetricFile, Written, write
from bartizan.crawl.intervals import whole_intervals
from bartizan.crawl.rows import fetch
from bartizan.engines import DuckDBEngine
from bartizan.model.connector import Connector
from bartizan.model.window import DAY, Window

_TIME = "%Y%m%dT%H%M"


@dataclass(frozen=True)
class BackfillResult:
    """chunks = written + unchanged; a dry run counts as written what would be."""

    connector: str
    chunks: int
    written: int
    unchanged: int
    rows: int
    dry_run: bool


def backfill(
    engine: DuckDBEngine,
    connector: Connector,
    metrics: UPath,
    windows: Sequence[Window],
    chunk: timedelta = DAY,
    on_progress: Callable[[int, int], None] | None = None,
    dry_run: bool = False,
) -> BackfillResult:
    """Write the history of the whole intervals inside the windows, one query and file a chunk.

    The windows are those for which the source is complete: a file covers every interval of its
    range, rows or not.

    `on_progress(done, total)` is called after each chunk. Interrupted, it is simply run again:
    equal bytes are not written twice. Only files named like this connector's chunks are touched.
    """
    there = chunk_windows(connector, metrics)
    chunks = planned(whole_intervals(windows, connector.frequency), chunk, there)
    done: list[Written] = []
    for part in chunks:
        rows = fetch(engine, connector, part)
        if not dry_run:
            for old in there:
                if old.overlaps(part) and old != part:
                    chunk_file(connector, metrics, old).remove()
        done.append(write(rows, chunk_file(connector, metrics, part), dry_run))
        if on_progress:
            on_progress(len(done), len(chunks))
    written = sum(item.changed for item in done)
    return BackfillResult(
        connector=connector.name,
        chunks=len(done),
        written=written,
        unchanged=len(done) - written,
        rows=sum(item.rows for item in done),
        dry_run=dry_run,
    )


def planned(windows: Sequence[Window], chunk: timedelta, there: Sequence[Window]) -> list[Window]:
    """The windows cut at multiples of `chunk`, grown over the ranges in `there` they overlap.

    Cut at the same instants whatever the window, so that a later backfill meets equal files.
    """
    parts = [part for window in windows for part in window.pieces(chunk)]
    met = [old for old in there if any(old.overlaps(part) for part in parts)]
    result: list[Window] = []
    for part in sorted([*parts, *met]):
        if result and result[-1].overlaps(part):
            result[-1] = Window(result[-1].start, max(result[-1].end, part.end))
        else:
            result.append(part)
    return result


def chunk_file(connector: Connector, metrics: UPath, window: Window) -> MetricFile:
    """The file of one chunk."""
    folder = metrics / connector.name / "backtest"
    stem = f"{connector.name}_{window.start:{_TIME}}_{window.end:{_TIME}}"
    return MetricFile(window, folder / f"{stem}.csv", folder / f"_manifest_{stem}.json")


def chunk_windows(connector: Connector, metrics: UPath) -> list[Window]:
    """The ranges of the chunks there are, in order, half-written ones included."""
    folder = metrics / connector.name / "backtest"
    times = r"_(\d{8}T\d{4})_(\d{8}T\d{4})\.(csv|json)"
    name = re.compile(f"(_manifest_)?{re.escape(connector.name)}{times}")
    paths = folder.iterdir() if folder.is_dir() else ()
    found = (name.fullmatch(path.name) for path in paths)
    return sorted({Window(_time(match[2]), _time(match[3])) for match in found if match})


def _time(text: str) -> datetime:
    return datetime.strptime(text, _TIME).replace(tzinfo=UTC)
