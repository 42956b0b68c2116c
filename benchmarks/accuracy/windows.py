"""Alarms against labelled windows, with one threshold for all series of a detector.

About each label lies a window: 5 % of the series spread over its labels, at least the label. The
first alarm inside is worth one, less the later it comes after the onset (a sigmoid that is zero at
the window's end); further ones inside count nothing. A window without an alarm costs one, an alarm
outside 0.11. A silent detector has 0, one alarm at each onset and no other is 100.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from accuracy.detector import Detector, Floats
from accuracy.events import Event
from accuracy.figures import level_at
from accuracy.metrics_anomalies import Series

WIDTH = 0.05
FALSE_ALARM = 0.11
STEEPNESS = 5.0
QUIET = 0.01  # of a series without an alarm, after which an alarm is an event of its own
RATE = 1 / 2_000  # of false alarms at which recall is measured
THRESHOLDS = 150  # tried for the best one

Places = NDArray[np.intp]
PROFILES = ("points", "events")
T = TypeVar("T")
U = TypeVar("U")


@dataclass(frozen=True)
class Window:
    """Points [begin, end) of a test part; the anomaly begins at `onset`."""

    begin: int
    onset: int
    end: int

    def worth(self, place: int) -> float:
        return min(self._sigmoid(place) / self._sigmoid(self.onset), 1.0)

    def _sigmoid(self, place: int) -> float:
        share_left = (self.end - place) / (self.end - self.begin)
        return float(2 / (1 + np.exp(-STEEPNESS * share_left)) - 1)


@dataclass(frozen=True)
class Outcome:
    """Of one series: its points and windows, the worth of those found, the alarms outside."""

    points: int
    windows: int
    found: tuple[float, ...]
    false_alarms: int


@dataclass(frozen=True)
class Tally:
    """At one threshold: the score, the share of windows found, false alarms in 1,000 points."""

    threshold: float
    score: float
    found: float
    false_per_1000: float


@dataclass(frozen=True)
class Result:
    """At the detector's own threshold and at the best one, by profile and by profile and kind of
    series; `recall` is of labels (a score of theirs, not of their windows, exceeds) at RATE.
    """

    detector: str
    series: int
    labels: int
    own: dict[str, Tally]
    best: dict[str, Tally]
    own_kinds: dict[str, dict[str, Tally]]
    best_kinds: dict[str, dict[str, Tally]]
    recall: float
    recall_of_kinds: dict[str, float]
    recall_of_anomalies: dict[str, float]


def windows(one: Series) -> list[Window]:
    width = WIDTH * (len(one.train) + len(one.test)) / max(len(one.events), 1)
    return [_window(event, width, len(one.test)) for event in one.events]


def _window(event: Event, width: float, points: int) -> Window:
    margin = max(int(width - (event.end - event.start)) // 2, 0)
    return Window(max(event.start - margin, 0), event.start, min(event.end + margin, points))


def outside(one: Series) -> NDArray[np.bool_]:
    """Whether each point of the test part is in no window."""
    free = np.ones(len(one.test), dtype=bool)
    for window in windows(one):
        free[window.begin : window.end] = False
    return free


def alarms(scores: Floats, threshold: float, profile: str, quiet: int) -> Places:
    """The points at or above the threshold; as events those with `quiet` points without before."""
    places = np.flatnonzero(scores >= threshold)
    if profile == "points":
        return places
    return places[np.diff(places, prepend=-quiet - 1) > quiet]


def outcome(spans: Sequence[Window], free: NDArray[np.bool_], places: Places) -> Outcome:
    ahead = np.searchsorted(places, [span.begin for span in spans])
    firsts = np.append(places, len(free))[ahead]
    pairs = zip(spans, firsts.tolist(), strict=True)
    found = tuple(span.worth(first) for span, first in pairs if first < span.end)
    return Outcome(len(free), len(spans), found, int(free[places].sum()))


def score(outcomes: Iterable[Outcome]) -> float:
    """0 for silence, 100 for perfection, NaN where there is no window."""
    gained = total = 0.0
    for one in outcomes:
        gained += sum(1 + worth for worth in one.found) - FALSE_ALARM * one.false_alarms
        total += 2 * one.windows
    return 100 * gained / total if total else float("nan")


def result(detector: Detector, given: Sequence[Series], scores: Sequence[Floats]) -> Result:
    """`scores` are the detector's of each series; NaN is no alarm."""
    judged = [np.nan_to_num(one, nan=-np.inf) for one in scores]
    kinds = [one.kind for one in given]
    spans, free = [windows(one) for one in given], [outside(one) for one in given]
    quiet = [int(QUIET * (len(one.train) + len(one.test))) for one in given]

    def at(threshold: float, profile: str) -> list[Outcome]:
        return [
            outcome(span, out, alarms(value, threshold, profile, still))
            for span, out, value, still in zip(spans, free, judged, quiet, strict=True)
        ]

    def by_kind(chosen: dict[str, Tally]) -> dict[str, dict[str, Tally]]:
        return {
            profile: grouped(kinds, at(one.threshold, profile), partial(tally, one.threshold))
            for profile, one in chosen.items()
        }

    tried = [detector.threshold, *thresholds(np.concatenate(judged))]
    tallies = {profile: [tally(each, at(each, profile)) for each in tried] for profile in PROFILES}
    own = {profile: every[0] for profile, every in tallies.items()}
    best = {profile: max(every, key=lambda one: one.score) for profile, every in tallies.items()}
    level = level_at(np.concatenate([v[f] for v, f in zip(judged, free, strict=True)]), RATE)
    events = [(one.kind, event) for one in given for event in one.events]
    seen = [
        bool((value[event.start : event.end] > level).any())
        for one, value in zip(given, judged, strict=True)
        for event in one.events
    ]
    return Result(
        detector=detector.name,
        series=len(given),
        labels=len(events),
        own=own,
        best=best,
        own_kinds=by_kind(own),
        best_kinds=by_kind(best),
        recall=share(seen),
        recall_of_kinds=grouped([kind for kind, _ in events], seen, share),
        recall_of_anomalies=grouped([event.kind for _, event in events], seen, share),
    )


def thresholds(scores: Floats) -> list[float]:
    """Scores that few to many points reach, and infinity."""
    finite = np.sort(scores[np.isfinite(scores)])[::-1]
    if not len(finite):
        return [float("inf")]
    ranks = np.geomspace(1, len(finite), THRESHOLDS).astype(int) - 1
    return [*np.unique(finite[ranks]).tolist(), float("inf")]


def tally(threshold: float, outcomes: Sequence[Outcome]) -> Tally:
    found = sum(len(one.found) for one in outcomes) / max(sum(one.windows for one in outcomes), 1)
    false = sum(one.false_alarms for one in outcomes) / sum(one.points for one in outcomes)
    return Tally(threshold, score(outcomes), found, 1000 * false)


def share(seen: Sequence[bool]) -> float:
    return float(np.mean(seen))


def grouped(
    names: Sequence[str], values: Sequence[T], figure: Callable[[list[T]], U]
) -> dict[str, U]:
    """The figure of the values of each name, in the order of the names."""
    groups: dict[str, list[T]] = {}
    for name, value in zip(names, values, strict=True):
        groups.setdefault(name, []).append(value)
    return {name: figure(group) for name, group in groups.items()}


def table(results: Sequence[Result]) -> tuple[list[str], list[list[str]]]:
    head = ["detector", f"recall at 1/{round(1 / RATE):,}"]
    for profile in PROFILES:
        head += [f"{profile}: own", "found", "false/1,000", "best", "found", "false/1,000"]
    rows = [
        [
            one.detector,
            f"{one.recall:.2f}",
            *(
                cell
                for profile in PROFILES
                for at in (one.own[profile], one.best[profile])
                for cell in (f"{at.score:.1f}", f"{at.found:.2f}", f"{at.false_per_1000:.2f}")
            ),
        ]
        for one in results
    ]
    return head, rows


def kinds_table(results: Sequence[Result]) -> tuple[list[str], list[list[str]]]:
    """The score of each kind of series, as events, at the best threshold for all of them."""
    head = ["score as events", *(one.detector for one in results)]
    kinds = [one.best_kinds["events"] for one in results]
    return head, [[name, *(f"{one[name].score:.0f}" for one in kinds)] for name in kinds[0]]


def anomalies_table(results: Sequence[Result]) -> tuple[list[str], list[list[str]]]:
    head = [f"recall at 1/{round(1 / RATE):,}", *(one.detector for one in results)]
    names = sorted(results[0].recall_of_anomalies)
    return head, [
        [name, *(f"{one.recall_of_anomalies[name]:.2f}" for one in results)] for name in names
    ]


def plain(results: Sequence[Result]) -> list[dict[str, Any]]:
    return [asdict(one) for one in results]
