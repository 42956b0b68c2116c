"""A connector's own metric files, backfilled and live together."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

import pandas as pd
from upath import UPath

from bartizan.detect.metrics import MetricFrame, read_history, read_live
from bartizan.detect.panel import TIME
from bartizan.errors import UsageError
from bartizan.model.connector import Connector
from bartizan.model.window import Window, aware

# The years in which a computer can name every microsecond of a column.
EVER = Window(datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC))


def read_metrics(
    folder: UPath, connector: Connector, window: Window | None, until: datetime | None = None
) -> MetricFrame:
    """Metrics of a window; an interval that is both backfilled and live counts as live.

    Without a window: from the first backfilled interval to the last, or live to `until` where that
    is later. Raises UsageError when nothing was backfilled then, SourceError for a broken file.
    """
    history = read_history(folder, connector, window or EVER)
    live = read_live(folder, connector, window or _span(history, connector, until))
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
