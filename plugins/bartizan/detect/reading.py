"""A connector's own metric files, backfilled and live together."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

import pandas as pd
from upath import UPath

from bartizan.detect.listing import history_files, live_files, own_source
from bartizan.detect.metrics import MetricFrame, read_history, read_live
from bartizan.detect.panel import TIME, interval_starts
from bartizan.errors import UsageError
from bartizan.model.connector import Connector
from bartizan.model.window import Window, aware

# The years in which a computer can name every microsecond of a column.
EVER = Window(datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC))


def read_metrics(
    folder: UPath, connector: Connector, window: Window | None, until: datetime | None = None
) -> MetricFrame:
    """Metrics of a window; an interval that is both backfilled and live counts as live, and where
    all are live, the others are not read.

    Without a window: from the first backfilled interval to the last, or live to `until` where that
    is later. Raises UsageError when nothing was backfilled then, SourceError for a broken file.
    """
    if window is None:
        history = read_history(folder, connector, EVER)
        live = read_live(folder, connector, _span(history, connector, until))
    else:
        live = read_live(folder, connector, window)
        if all_live(live, connector, window):
            return live
        history = read_history(folder, connector, window)
    only_history = history.frame[~history.frame[TIME].isin(live.covered)]
    rejected = Counter(history.rejected) + Counter(live.rejected)
    del rejected["outside_window"]  # merely not asked for
    return MetricFrame(
        pd.concat([only_history, live.frame], ignore_index=True),
        history.covered.union(live.covered),
        history.rows + live.rows,
        dict(rejected),
        examples=(*history.examples, *live.examples),
    )


def all_live(live: MetricFrame, connector: Connector, window: Window) -> bool:
    """Whether every interval of the window is among the live metrics of it."""
    return len(live.covered) == len(interval_starts(window, connector.frequency))


def versions(folder: UPath, connector: Connector, window: Window) -> list[str]:
    """What tells the files that `read_metrics` reads from any others, without reading them: their
    names, and when and how large they were written."""
    source = connector.source or own_source(folder)
    live = live_files(source, folder, window, connector.frequency)
    files = [*history_files(source, folder, window), *live]
    return [str(file.place.fs.ukey(file.path)) for file in files]


def _span(history: MetricFrame, connector: Connector, until: datetime | None) -> Window:
    if not len(history.covered):
        raise UsageError(
            f"backtest {connector.name}",
            "there is no backfilled history",
            "backfill it first, or give --start and --end of live metrics",
        )
    first, last = (aware(history.covered[place].to_pydatetime()) for place in (0, -1))
    end = last + connector.frequency
    return Window(first, max(end, until) if until else end)
