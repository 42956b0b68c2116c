"""Series: what one measure did, what was expected of it, and why it has its score."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bartizan import jobs
from bartizan.model.window import DAY, Window
from bartizan.store import Store
from bartizan.store.detectors import load_detector
from bartizan.store.selected import affordable, interval_sums, interval_values
from bartizan.ui.data.located import Located, located
from bartizan.ui.data.marks import Mark, marks
from bartizan.ui.data.points import WEEK, Point, points, unusual_spans
from bartizan.ui.data.reasons import why
from bartizan.ui.data.stored import stored
from bartizan.ui.data.unusual import Unusual, unusual
from bartizan.ui.selection import Selection

MOST_BYTES = 64 << 20  # of scores that are read for a page, and of a week before about a third
MOST_POINTS = 2500
BESIDE = DAY  # what is chosen


@dataclass(frozen=True)
class Why:
    """The most severe value of what is chosen, and what there is to say of it."""

    at: datetime
    sentences: tuple[str, ...]


@dataclass(frozen=True)
class Series:
    """`shown` is the time of the points: what is asked for, or its last part where that is more
    than can be read at once. `is_one`: of a single series; else the points are sums of all that
    have the values chosen, and there are none where values do not add up. `spans` are stretches at
    the alert threshold; `others` the most unusual series among those summed."""

    selection: Selection
    shown: Window
    step: timedelta
    is_one: bool
    adds_up: bool
    points: tuple[Point, ...]
    spans: tuple[Window, ...]
    why: Why | None
    learned: str
    threshold: float
    others: tuple[Unusual, ...]
    marks: tuple[Mark, ...]


def series(store: Store, selection: Selection) -> Series:
    """Raises UsageError where nothing was scored yet."""
    place = located(store, selection)
    connector, asked = place.connector, place.selection
    shown = _shown(place)
    found = _points(place, shown)
    about = replace(asked, by=connector.dimensions[0]) if connector.dimensions else asked
    return Series(
        selection=asked,
        shown=shown,
        step=connector.frequency,
        is_one=place.is_one,
        adds_up=place.adds_up,
        points=found,
        spans=unusual_spans(found, connector.frequency, connector.alert_threshold),
        why=_why(found, asked.chosen) if place.is_one else None,
        learned=load_detector(store, connector.name).reason,
        threshold=connector.alert_threshold,
        others=() if place.is_one else unusual(stored(store, about), about),
        marks=marks(store, [connector], replace(asked, window=shown)),
    )


def _points(place: Located, shown: Window) -> tuple[Point, ...]:
    if not (place.is_one or place.adds_up):
        return ()
    connector, asked = place.connector, place.selection
    root, past = jobs.settings().lake, Window(shown.start - WEEK, shown.end - WEEK)
    sums = interval_sums(root, connector, asked.measure, asked.where, shown)
    before = interval_values(root, connector, asked.measure, asked.where, past)
    return points(sums, before, connector.frequency)


def _shown(place: Located) -> Window:
    """The window, or a day on both sides of what is chosen in it; its last part if that is long."""
    window, picked = place.selection.window, place.selection.picked
    if picked is not None:
        wide = Window(picked.start - BESIDE, picked.end + BESIDE)
        window = window.intersection(wide) or window
    start = max(window.start, window.end - MOST_POINTS * place.connector.frequency)
    last = Window(start, window.end)
    return affordable(jobs.settings().lake, place.connector, last, MOST_BYTES)


def _why(found: tuple[Point, ...], window: Window) -> Why | None:
    inside = [one for one in found if one.at in window]
    if not inside:
        return None
    worst = max(inside, key=lambda one: one.severity if one.severity is not None else -1.0)
    return Why(worst.at, tuple(why(worst)))
