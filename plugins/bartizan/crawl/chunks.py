"""History: files directly under `<connector>/backtest`, one per chunk, with a manifest each.

No two files cover the same interval, whatever was backfilled before: a chunk that overlaps the
range of earlier files grows to hold that range and replaces them. Readers may add up all files.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from upath import UPath

from bartizan.crawl.files import MetricFile
from bartizan.model.connector import Connector
from bartizan.model.window import Window

_TIME = "%Y%m%dT%H%M"


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
    folder, stem = metrics / connector.name / "backtest", _stem(connector, window)
    return MetricFile(window, folder / f"{stem}.csv", folder / f"_manifest_{stem}.json")


def chunk_windows(connector: Connector, metrics: UPath) -> list[Window]:
    """The ranges of the chunks there are, in order, half-written ones included."""
    folder = metrics / connector.name / "backtest"
    stem = re.escape(connector.name) + r"_(?P<start>\d{8}T\d{4})_(?P<end>\d{8}T\d{4})"
    forms = (rf"{stem}\.csv", rf"_manifest_{stem}\.json", rf"_writing_{stem}")
    paths = folder.iterdir() if folder.is_dir() else ()
    found = (re.fullmatch(form, path.name) for path in paths for form in forms)
    windows = (_window(match["start"], match["end"]) for match in found if match)
    return sorted({window for window in windows if window})


def chunk_mark(connector: Connector, metrics: UPath, window: Window) -> UPath:
    """The file that is there while files of other ranges are replaced by a chunk."""
    return metrics / connector.name / "backtest" / f"_writing_{_stem(connector, window)}"


def _stem(connector: Connector, window: Window) -> str:
    return f"{connector.name}_{window.start:{_TIME}}_{window.end:{_TIME}}"


def _window(start: str, end: str) -> Window | None:
    """None for a name that only looks like a chunk's."""
    try:
        edges = [datetime.strptime(text, _TIME).replace(tzinfo=UTC) for text in (start, end)]
    except ValueError:
        return None
    return Window(*edges) if edges[0] < edges[1] else None
