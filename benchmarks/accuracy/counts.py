"""Events found in WAF-like counts at equal rates of false alarms, and how soon.

One threshold for all series of a detector: the one that so many points of the quiet test parts
exceed. An event is found when a point of it exceeds that; its delay is the first such point's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

import numpy as np

from accuracy.detector import Detector, Floats
from accuracy.figures import level_at
from accuracy.waf_counts import FAMILIES, KINDS, Series, series

INTERVAL = timedelta(hours=1)
RATES = (1e-3, 1e-4)
CASES = [(kind.name, family.name) for kind in KINDS for family in kind.families]


@dataclass(frozen=True)
class Found:
    """An event, and how many intervals after its start it was first seen: at one false alarm in
    1,000 points, in 10,000, and at the detector's own threshold; None if never.
    """

    family: str
    kind: str
    at_1000: int | None
    at_10000: int | None
    at_default: int | None


@dataclass(frozen=True)
class Result:
    """`false_alarms` is the share of quiet points at or above the default threshold."""

    detector: str
    series: int
    quiet_points: int
    false_alarms: float
    events: tuple[Found, ...]


def made(count: int, seed: int) -> list[Series]:
    """So many series of each family."""
    return [series(family, seed + number) for family in FAMILIES for number in range(count)]


def result(detector: Detector, given: Sequence[Series]) -> Result:
    quiet = np.concatenate([detector.run(one.train, one.quiet) for one in given])
    levels = [level_at(quiet, rate) for rate in RATES]
    default = float(np.nextafter(detector.threshold, -np.inf))
    events = []
    for one in given:
        scores = np.nan_to_num(detector.run(one.train, one.attacked), nan=-np.inf)
        for event in one.events:
            during = scores[event.start : event.end]
            seen = [_first(during, level) for level in (*levels, default)]
            events.append(Found(one.family, event.kind, *seen))
    alarms = float((quiet >= detector.threshold).mean())
    return Result(detector.name, len(given), len(quiet), alarms, tuple(events))


def _first(scores: Floats, level: float) -> int | None:
    """The position of the first score above the level."""
    above = np.flatnonzero(scores > level)
    return int(above[0]) if len(above) else None


def table(results: Sequence[Result]) -> tuple[list[str], list[list[str]]]:
    head = ["detector", "recall at 1/1,000", "mean delay", "recall at 1/10,000"]
    head += ["own threshold: false per 1,000", "recall"]
    rows = [
        [
            one.detector,
            _recall([event.at_1000 for event in one.events]),
            _delay([event.at_1000 for event in one.events]),
            _recall([event.at_10000 for event in one.events]),
            f"{1000 * one.false_alarms:.1f}",
            _recall([event.at_default for event in one.events]),
        ]
        for one in results
    ]
    return head, rows


def kinds_table(
    results: Sequence[Result], cases: Sequence[tuple[str, str]] = CASES
) -> tuple[list[str], list[list[str]]]:
    """Recall of each kind in each family at one false alarm in 1,000."""
    head = ["recall at 1/1,000", *(one.detector for one in results)]
    rows = [
        [
            f"{kind}, {family}",
            *(
                _recall([e.at_1000 for e in one.events if (e.kind, e.family) == (kind, family)])
                for one in results
            ),
        ]
        for kind, family in cases
    ]
    return head, rows


def _recall(delays: Sequence[int | None]) -> str:
    return f"{np.mean([delay is not None for delay in delays]):.2f}"


def _delay(delays: Sequence[int | None]) -> str:
    found = [delay for delay in delays if delay is not None]
    return f"{np.mean(found):.1f}" if found else "-"


def plain(results: Sequence[Result]) -> list[dict[str, Any]]:
    return [asdict(one) for one in results]
