"""What a connector's detector would have said of its history."""

# ruff: noqa: PLC0415  (rooms are imported when they are used: DAG files are parsed often)

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from bartizan.config import make_folder
from bartizan.errors import UsageError
from bartizan.jobs.here import open_store, settings
from bartizan.jobs.metrics import load_connector
from bartizan.model.window import Window, parse_time


def backtest(
    name: str,
    window: Window | None = None,
    out: Path | None = None,
    train_until: datetime | None = None,
    train_share: float = 0.7,
    on_progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Go through a connector's metric files as live: learn from the first part, score the rest.

    Without a window from the first backfilled interval to the last that was backfilled or scored.
    Writes what `results.py` names into `out` (default: report/backtest_<name> of the home); the
    store, the scores and the states of the live detector stay as they are. Raises UsageError where
    there is no history or nothing to score.
    """
    from bartizan.detect.backtest import backtest as go_through
    from bartizan.detect.backtest import last_midnight
    from bartizan.detect.reading import read_metrics
    from bartizan.jobs.results import explained, summary, write
    from bartizan.store.detectors import load_detector
    from bartizan.store.feedback import load_feedback

    if not 0 < train_share < 1:
        raise UsageError("--train-share", f"{train_share} is not between 0 and 1", "write 0.7")
    here, connector = settings(), load_connector(name)
    store = open_store()
    through = load_detector(store, name).scored_through
    metrics = read_metrics(
        here.metrics / name, connector, window, parse_time(through) if through else None
    )
    if not len(metrics.covered):
        raise UsageError(f"backtest {name}", f"no metrics in {window}", "choose another window")
    until = train_until or last_midnight(metrics, connector, train_share)
    feedback = load_feedback(store, name)
    result = go_through(
        metrics, connector, until, train_share, on_progress=on_progress, feedback=feedback
    )
    result = explained(result, connector)
    folder = out or here.home / "report" / f"backtest_{name}"
    make_folder(folder)
    switch_on = f"bartizan connector activate {name}, then unpause crawl_{name} and detect_{name}"
    written = write(folder, connector, metrics, result, switch_on)
    return summary(connector, metrics, result) | {
        "folder": str(folder),
        "written": written,
        "switch_on": switch_on,
    }
