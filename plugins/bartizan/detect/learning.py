"""What scores a UTC day: learned once from the metrics before it, by one process or by several.

A large learning is planned, its shares are learned in any order and by any process that has the
lake folder, and joined: the state is that of one process, byte for byte (`spread.py`).
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from upath import UPath

from bartizan.detect.feedback import from_new_level
from bartizan.detect.kept import KEPT, detector_folder, keep, load_kept, state_folder
from bartizan.detect.learn import Outline, described, outline, points_needed
from bartizan.detect.reading import read_metrics, versions
from bartizan.detect.replay import history_for
from bartizan.detect.spread import (
    Share,
    joined,
    learn_share,
    learned_end,
    named_share,
    place_of_plan,
    plans_of,
    remove_plans,
    save_plan,
    shares_of,
)
from bartizan.detect.state import DetectorState
from bartizan.errors import BartizanError, ConfigError
from bartizan.model.connector import Connector
from bartizan.model.window import DAY, Window, floor, format_time
from bartizan.store import Store
from bartizan.store.detectors import DetectorRecord, DetectorStatus, load_detector, save_detector
from bartizan.store.feedback import load_feedback

log = logging.getLogger(__name__)

NOTHING_YET = "no metrics before this day; backfill history, or wait for live intervals"


def learn_for(
    store: Store,
    root: Path,
    metrics: UPath,
    connector: Connector,
    day: datetime,
    again: bool = False,
) -> DetectorState | None:
    """What scores the UTC day that holds `day`: learned before, or now, or `again` now.

    Reads the metrics before that day (`history_for`), backfilled and live; None without any.
    What is raised on the way is also the reason why the detector's state is then FAILED.
    """
    with _failing(store, connector, day):
        window = history_for(floor(day, DAY), connector.frequency)
        folder, unusable = state_folder(root, connector, window.end), ""
        if folder.exists() and not again:
            try:
                return load_kept(folder, connector)
            except ConfigError as error:
                unusable = f"{error.thing} {error.problem}"
                log.warning("%s: learning again: %s", connector.name, unusable)
        found = _outlined(store, metrics, connector, window)
        return None if found is None else _put_in_place(store, folder, described(found), unusable)


def plan(
    store: Store,
    root: Path,
    metrics: UPath,
    connector: Connector,
    windows: Sequence[Window],
    most: int,
    again: bool = False,
) -> list[str]:
    """Names of the shares in which to learn what scores the days of the windows and is not there,
    or is to be learned `again`. The same files give the same names.

    A share has about `most` series x intervals, 0 for all of them; what has no more is learned here
    and now. No more than KEPT learnings are looked at; scoring makes others when it comes to them.
    Nothing is learned for a detector that is deactivated. Plans of before are removed.
    """
    if load_detector(store, connector.name).state is DetectorStatus.DEACTIVATED:
        return []
    days = sorted({floor(part.start, DAY) for window in windows for part in window.pieces(DAY)})
    learnings = list(dict.fromkeys(history_for(day, connector.frequency) for day in days))
    lacking = [
        one for one in learnings if again or not state_folder(root, connector, one.end).exists()
    ]
    shares: list[Share] = []
    for window in lacking[:KEPT]:
        with _failing(store, connector, window.end):
            shares += _planned(store, root, metrics, connector, window, most)
    if learnings:
        used = {share.plan for share in shares}
        remove_plans(detector_folder(root, connector), learnings[-1].end, used)
    return [share.name for share in shares]


def _planned(
    store: Store, root: Path, metrics: UPath, connector: Connector, window: Window, most: int
) -> list[Share]:
    feedback = load_feedback(store, connector.name)
    known = [repr(connector), str(window), repr(feedback)]
    known += versions(metrics / connector.name, connector, window)
    place = place_of_plan(detector_folder(root, connector), window.end, known)
    if shares := shares_of(place):
        return shares
    found = _outlined(store, metrics, connector, window)
    if found is None:
        return []
    shards = found.rows.shards
    in_share = max(most // (found.rows.size * len(found.rows.times)), 1) if most else shards
    parts = -(-shards // in_share)
    if parts == 1:
        _put_in_place(store, state_folder(root, connector, window.end), described(found), "")
        return []
    return save_plan(place, found, -(-shards // parts))


def planned(root: Path, connector: Connector, day: datetime) -> list[str]:
    """Names of the shares of what scores the UTC day that holds `day`, none without a plan."""
    end = history_for(floor(day, DAY), connector.frequency).end
    plans = plans_of(detector_folder(root, connector), end)
    return [share.name for plan in plans for share in shares_of(plan)]


def learn_planned(root: Path, connector: Connector, name: str) -> None:
    """Learn the share of that name; nothing when it was learned before."""
    learn_share(named_share(detector_folder(root, connector), name), connector)


def join(store: Store, root: Path, connector: Connector, names: Sequence[str]) -> None:
    """Put the shares of these names together where scoring looks for them; nothing when that was
    done. Raises ConfigError while one of them is lacking."""
    folder = detector_folder(root, connector)
    for plan in dict.fromkeys(named_share(folder, name).plan for name in names):
        place = state_folder(root, connector, learned_end(plan))
        if plan.exists() or not place.exists():
            _put_in_place(store, place, joined(plan, connector), "")
            remove_plans(folder, learned_end(plan))


def _outlined(store: Store, metrics: UPath, connector: Connector, window: Window) -> Outline | None:
    """What is known of all series at the end of the window, None without metrics before it."""
    known = read_metrics(metrics / connector.name, connector, window)
    if known.frame.empty:
        _record(store, DetectorRecord(connector.name, DetectorStatus.LEARNING, NOTHING_YET))
        return None
    warn(connector, known.rejected)
    history = from_new_level(known.frame, load_feedback(store, connector.name), window.end)
    return outline(history, connector, window, known.covered)


def _put_in_place(
    store: Store, folder: UPath, state: DetectorState, unusable: str
) -> DetectorState:
    keep(folder, state)
    _record(store, _described(state, unusable))
    return state


@contextmanager
def _failing(store: Store, connector: Connector, day: datetime) -> Iterator[None]:
    """What is raised within is the reason why the detector's state is then FAILED."""
    try:
        yield
    except BartizanError as error:
        stored = load_detector(store, connector.name)
        if format_time(floor(day, DAY)) >= (stored.learned_end or ""):
            _record(store, replace(stored, state=DetectorStatus.FAILED, reason=str(error)))
        raise


def warn(connector: Connector, rejected: Mapping[str, int]) -> dict[str, int]:
    """Log and return how many rows are unusable."""
    counts = {reason: count for reason, count in rejected.items() if count}
    for reason, count in counts.items():
        log.warning("%s: %d metric rows cannot be used: %s", connector.name, count, reason)
    return counts


def _described(state: DetectorState, unusable: str) -> DetectorRecord:
    """The record of what was learned; `unusable` is what was wrong with the state of before."""
    active = [one.active for one in state.measures.values()]
    needed = points_needed(state.frequency)
    ready_at = _ready_from(state, needed)
    reason = (
        f"learned from {state.points} intervals"
        if state.ready
        else f"{state.points} of {needed} intervals seen; ready at {format_time(ready_at)}, "
        "if none is missing until then"
    )
    return DetectorRecord(
        state.connector,
        DetectorStatus.ACTIVE if state.ready else DetectorStatus.LEARNING,
        f"{reason}; learned again because {unusable}" if unusable else reason,
        format_time(state.learned.start),
        format_time(state.learned.end),
        series=sum(map(len, active)),
        series_ready=sum(int(one.sum()) for one in active) if state.ready else 0,
    )


def _ready_from(state: DetectorState, needed: int) -> datetime:
    """The day before which enough intervals can have been seen, if all from now on are delivered:
    what is learned for a day is from before it."""
    lacking = max(needed - state.points, 0)
    enough = state.learned.end + lacking * state.frequency
    return enough if floor(enough, DAY) == enough else floor(enough, DAY) + DAY


def _record(store: Store, record: DetectorRecord) -> None:
    """Store what was learned, unless more recent metrics were; how far was scored stays, and so
    does that a person deactivated the detector."""
    stored = load_detector(store, record.name)
    if (record.learned_end or "") < (stored.learned_end or ""):
        return
    if stored.state is DetectorStatus.DEACTIVATED:
        record = replace(record, state=stored.state, reason=stored.reason)
    save_detector(store, replace(record, scored_through=stored.scored_through))
