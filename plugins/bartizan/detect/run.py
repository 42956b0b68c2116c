"""One detector at work: learn once a day, score what is new, open and update incidents.

What is learned for a UTC day depends only on the metrics before it, and a score only on what was
learned and on the intervals shortly before. So scoring a day at once, hour by hour, or again a week
later gives the same scores and the same incidents: live = replay.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import pandas as pd
from upath import UPath

from bartizan.detect.feedback import excuse
from bartizan.detect.group import anomalous, find_groups, reach, settled
from bartizan.detect.kept import state_folder
from bartizan.detect.learning import learn_for, warn
from bartizan.detect.metrics import MetricFrame, read_live
from bartizan.detect.notice import noticed
from bartizan.detect.panel import TIME
from bartizan.detect.reading import all_live, read_metrics
from bartizan.detect.remembered import place_after, recall, remember
from bartizan.detect.score import context_start, follow
from bartizan.detect.scores import load_anomalous, save_scores
from bartizan.detect.state import DetectorState
from bartizan.model.connector import Connector
from bartizan.model.feedback import Feedback
from bartizan.model.window import DAY, Window, format_time, parse_time
from bartizan.store import Store
from bartizan.store.detectors import DetectorStatus, load_detector, save_detector
from bartizan.store.feedback import load_feedback
from bartizan.store.incidents import oldest_open, replace_incidents
from bartizan.store.scores import measure_scores

log = logging.getLogger(__name__)

GROUP_OVER = timedelta(days=7)


@dataclass(frozen=True)
class DetectResult:
    """What scoring the windows amounted to."""

    detector: str
    state: str
    reason: str
    intervals: int
    scores: int
    changed: tuple[str, ...]  # ids of incidents that opened or changed
    rejected: dict[str, int]  # metric rows of these intervals that cannot be used, by reason


def detect(
    store: Store, root: Path, metrics: UPath, connector: Connector, windows: Sequence[Window]
) -> DetectResult:
    """Score the windows and bring the detector's incidents up to date; nothing without windows,
    or while the detector is deactivated.

    `root` is the lake folder, `metrics` the folder that holds one folder per connector.
    """
    intervals = rows = 0
    changed: list[str] = []
    rejected: Counter[str] = Counter()
    if load_detector(store, connector.name).state is DetectorStatus.DEACTIVATED:
        windows = ()
    feedback = load_feedback(store, connector.name)
    for window in windows:
        for day in window.pieces(DAY):
            state = learn_for(store, root, metrics, connector, day.start)
            if state is None:
                continue
            folder = state_folder(root, connector, state.learned.end)
            scores, live = _score(folder, state, metrics / connector.name, connector, day)
            save_scores(root, connector, day, excuse(scores, connector, feedback))
            rejected.update(warn(connector, live.rejected))
            intervals += scores[TIME].nunique()
            rows += len(scores)
    if windows:
        changed = _group(store, root, connector, windows, feedback)
        _scored(store, connector, max(window.end for window in windows))
    record = load_detector(store, connector.name)
    return DetectResult(
        connector.name,
        record.state.value,
        record.reason,
        intervals,
        rows,
        tuple(changed),
        dict(rejected),
    )


def _group(
    store: Store,
    root: Path,
    connector: Connector,
    windows: Sequence[Window],
    feedback: Sequence[Feedback],
) -> list[str]:
    """Find and store the incidents that the scores of `windows` can have changed; returns ids.

    Every one of them is seen whole: the scores go on to where scoring has come to, and back to
    where no incident crosses. All open ones are among them, so that each is resolved in time.
    """
    scored = load_detector(store, connector.name).scored_through
    ends = [window.end for window in windows]
    end = max([*ends, parse_time(scored)] if scored else ends)
    starts = [window.start - GROUP_OVER for window in windows]
    oldest = oldest_open(store, connector.name)
    start = min([*starts, oldest] if oldest else starts)
    while _crossed(root, connector, start):
        start -= DAY
    span = Window(start, end)
    threshold = connector.alert_threshold
    points = load_anomalous(root, connector, span, threshold)
    groups = find_groups(points, connector, threshold)
    scores = partial(measure_scores, root, connector)
    found = [
        noticed(settled(group, connector, end), connector, end, scores, feedback)
        for group in groups
    ]
    return replace_incidents(store, connector.name, span, found)


def _crossed(root: Path, connector: Connector, instant: datetime) -> bool:
    """Whether an incident may have begun before `instant` and go on after it."""
    window = Window(instant, instant + reach(connector))
    after = load_anomalous(root, connector, window, connector.alert_threshold)
    return not anomalous(after, connector.alert_threshold).empty


def _score(
    folder: UPath, state: DetectorState, metrics: UPath, connector: Connector, window: Window
) -> tuple[pd.DataFrame, MetricFrame]:
    """Scores of the live intervals of `window`, and their metrics; `state` was learned in `folder`.

    The state goes through what was before since the learning, or begins with what it remembers of
    that. Where not every interval of the window is live, backfilled ones may yet take its place:
    then nothing is remembered.
    """
    begin = context_start(state, connector)
    after = place_after(folder, metrics, connector, Window(begin, window.end))
    if state.seen < window.start:
        before = place_after(folder, metrics, connector, Window(begin, window.start))
        state = recall(before, state, window.start) or state
    live = read_live(metrics, connector, window)
    start, covered, earlier = context_start(state, connector), live.covered, None
    if start < window.start:
        known = read_metrics(metrics, connector, Window(start, window.start))
        covered, earlier = covered.union(known.covered), known.frame
    scores, state = follow(state, live.frame, connector, window, earlier, covered)
    if all_live(live, connector, window):
        remember(after, state)
    return scores, live


def _scored(store: Store, connector: Connector, end: datetime) -> None:
    """Move the mark up to which intervals are scored; it never goes back."""
    record = load_detector(store, connector.name)
    through = max(record.scored_through or "", format_time(end))
    save_detector(store, replace(record, scored_through=through))
