"""Anomalies, the groups they form, and the incident a person handles.

Score is not verdict: every series and interval has a severity, only some become anomalies.
"Not ready" is not "normal": a series that cannot be judged yet has a NaN severity and a reason.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from bartizan.model.advice import Advice
from bartizan.model.evidence import Evidence
from bartizan.model.story_link import StoryLink
from bartizan.model.window import Window


class Direction(StrEnum):
    ABOVE = "above"
    BELOW = "below"


class IncidentState(StrEnum):
    OPEN = "open"  # it may still go on
    RESOLVED = "resolved"  # scored so far beyond its end that nothing can join it
    WITHDRAWN = "withdrawn"  # its intervals were scored again, and it is no longer found


@dataclass(frozen=True)
class Anomaly:
    """One series in one interval that is too unusual to ignore.

    `dimensions` in the connector's order; `value`, `expected`, `lower`, `upper` in the measure's
    unit per interval; `severity` 0-100; `reason` one of the detector's reason codes.
    """

    interval: Window
    dimensions: tuple[tuple[str, str], ...]
    value: float
    expected: float
    lower: float
    upper: float
    severity: float
    direction: Direction
    reason: str


@dataclass(frozen=True)
class Contribution:
    """Share of one dimension value in the group's deviation; shares of a dimension add to 100."""

    dimension: str
    value: str
    percent: int


@dataclass(frozen=True)
class RootCause:
    """A combination of dimension values that explains part of an incident.

    `value` and `expected` are sums over its series and the incident's window, without the series
    of the causes before it. `percent` (whole, rounded down) is its share of the deviation of the
    incident's anomalies.
    """

    dimensions: tuple[tuple[str, str], ...]
    value: float
    expected: float
    percent: int


@dataclass(frozen=True)
class Explanation:
    """Root causes, the largest first, and the counterfactual: the same interval without them.

    `rest_value` and `rest_expected` are sums over all other series that share the incident's first
    dimension value; `rest_normal` says whether they are as expected.
    """

    causes: tuple[RootCause, ...]
    rest_value: float
    rest_expected: float
    rest_normal: bool

    @property
    def is_compact(self) -> bool:
        """Whether the causes hold most of the change; else there is no compact explanation."""
        return sum(cause.percent for cause in self.causes) >= 50


@dataclass(frozen=True)
class Incident:
    """An anomaly group with what explains it.

    `window` runs from the start of the first to the end of the last anomalous interval.
    `id` depends on detector, measure, direction, cause dimensions and first interval only, never
    on score or end, so that later intervals update the same incident.
    `value` and `expected` are sums over the anomalies (SUM measures) or their means (AVG).
    `samples` are masked example requests, as plain column/value mappings.
    `explanation` is None where none was looked for: of one series, or values that do not add up.
    `muted` says why nobody is told of it, by the connector's calendar; it is empty while one of its
    intervals is in no muted range. `asks_new_normal`: it lasts, or what has changed has stayed, and
    nobody said yet whether that is normal now.
    `updated_at` is when its last change was found, in time of the metrics; each change is later
    than the one before.
    `evidence` is what else is known, None before the incident is explained.
    `story`, the `advice` of playbooks and a `notice`, said first, are added where the incident is
    shown or told.
    """

    id: str
    detector: str
    measure: str
    window: Window
    frequency_seconds: int
    severity: float
    direction: Direction
    value: float
    expected: float
    anomalies: tuple[Anomaly, ...]
    contributions: tuple[Contribution, ...] = ()
    samples: tuple[dict[str, str], ...] = field(default=(), compare=False)
    explanation: Explanation | None = None
    state: IncidentState = IncidentState.OPEN
    muted: str = ""
    asks_new_normal: bool = False
    updated_at: datetime | None = field(default=None, compare=False)
    evidence: Evidence | None = field(default=None, compare=False)
    story: StoryLink | None = field(default=None, compare=False)
    advice: tuple[Advice, ...] = field(default=(), compare=False)
    notice: str = field(default="", compare=False)

    @property
    def peak(self) -> Anomaly:
        """The anomaly with the highest severity, the earliest of equals."""
        return max(self.anomalies, key=lambda a: (a.severity, -a.interval.start.timestamp()))
