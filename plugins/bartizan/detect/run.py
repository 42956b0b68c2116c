"""One detector at work: learn once a day, score what is new, open and update incidents.

What is learned for a UTC day depends only on the metrics before it, and a score only on what was
learned and on the intervals shortly before. So scoring a day at once, hour by hour, or again a week
later gives the same scores and the same incidents: live = replay.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import pandas as pd
from upath import UPath

from bartizan.detect.group import find_groups
from bartizan.detect.learn import DetectorState, learn, points_needed
from bartizan.detect.metrics import MetricFrame, read_history, read_live
from bartizan.detect.panel import TIME
from bartizan.detect.score import connector_context, score
from bartizan.detect.scores import load_scores, save_scores
from bartizan.model.connector import Connector
from bartizan.model.window import DAY, Window, floor, format_time
from bartizan.store import Store
from bartizan.store.detectors import DetectorRecord, DetectorStatus, load_detector, save_detector
from bartizan.store.incidents import replace_incidents

LEARN_FROM = timedelta(days=35)
GROUP_OVER = timedelta(days=7)
NOTHING_YET = "no metrics before this day; backfill history, or wait for live intervals"


@dataclass(frozen=True)
class DetectResult:
    """What scoring the windows amounted to."""

    detector: str
    state: str
    reason: str
    intervals: int
    scores: int
    changed: tuple[str, ...]  # ids of incidents that opened or changed


def learn_for(
    store: Store,
    root: Path,
    metrics: UPath,
    connector: Connector,
    day: datetime,
    again: bool = False,
) -> DetectorState | None:
    """What scores the UTC day that holds `day`: learned before, or now, or `again` now.

    Reads up to 35 days of metrics before that day, backfilled and live; None when there are none.
    """
    day = floor(day, DAY)
    path = UPath(root / "detectors" / connector.name / f"state_{day:%Y%m%d}.parquet")
    if path.exists() and not again:
        return DetectorState.load(path)
    window = Window(day - LEARN_FROM, day)
    known = _read(metrics, connector, window)
    if known.frame.empty:
        _record(store, DetectorRecord(connector.name, DetectorStatus.LEARNING, NOTHING_YET))
        return None
    state = learn(known.frame, connector, window, known.covered)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    state.save(temporary)
    temporary.rename(path)
    _record(store, _described(state))
    return state


def detect(
    store: Store, root: Path, metrics: UPath, connector: Connector, windows: Sequence[Window]
) -> DetectResult:
    """Score the windows and bring the detector's incidents up to date.

    `root` is the lake folder, `metrics` the folder that holds one folder per connector.
    """
    intervals = rows = 0
    for window in windows:
        for day in window.pieces(DAY):
            state = learn_for(store, root, metrics, connector, day.start)
            if state is None:
                continue
            scores = _score(state, metrics, connector, day)
            save_scores(root, connector, day, scores)
            intervals += scores[TIME].nunique()
            rows += len(scores)
    end = max(window.end for window in windows)
    span = Window(min(window.start for window in windows) - GROUP_OVER, end)
    groups = find_groups(load_scores(root, connector, span), connector, connector.alert_threshold)
    changed = replace_incidents(store, connector.name, span, groups)
    record = _scored(store, connector, end)
    return DetectResult(
        connector.name, record.state.value, record.reason, intervals, rows, tuple(changed)
    )


def _score(
    state: DetectorState, metrics: UPath, connector: Connector, window: Window
) -> pd.DataFrame:
    """Scores of the live intervals of `window`, with the intervals before it as context."""
    before = Window(window.start - connector_context(connector), window.start)
    live, context = (
        read_live(metrics / connector.name, connector, window),
        _read(metrics, connector, before),
    )
    covered = live.covered.union(context.covered)
    return score(state, live.frame, connector, window, context.frame, covered)


def _read(metrics: UPath, connector: Connector, window: Window) -> MetricFrame:
    """Metrics of a window, backfilled or live; an interval that is both counts as live."""
    folder = metrics / connector.name
    history, live = read_history(folder, connector, window), read_live(folder, connector, window)
    only_history = history.frame[~history.frame[TIME].isin(live.covered)]
    return MetricFrame(
        pd.concat([only_history, live.frame], ignore_index=True),
        history.covered.union(live.covered),
        history.rows + live.rows,
        dict(Counter(history.rejected) + Counter(live.rejected)),
    )


def _described(state: DetectorState) -> DetectorRecord:
    series = state.series
    needed = points_needed(state.frequency)
    seen = f"learned from {state.points} intervals"
    return DetectorRecord(
        state.connector,
        DetectorStatus.ACTIVE if state.ready else DetectorStatus.LEARNING,
        seen if state.ready else f"{state.points} of {needed} intervals seen",
        format_time(state.learned.start),
        format_time(state.learned.end),
        series=len(series),
        series_ready=int((series["status"] == "ACTIVE").sum()) if state.ready else 0,
    )


def _record(store: Store, record: DetectorRecord) -> None:
    """Store what was learned; how far was scored stays as it is."""
    scored = load_detector(store, record.name).scored_through
    save_detector(store, replace(record, scored_through=scored))


def _scored(store: Store, connector: Connector, end: datetime) -> DetectorRecord:
    """Move the mark up to which intervals are scored; it never goes back."""
    record = load_detector(store, connector.name)
    through = max(record.scored_through or "", format_time(end))
    record = replace(record, scored_through=through)
    save_detector(store, record)
    return record
