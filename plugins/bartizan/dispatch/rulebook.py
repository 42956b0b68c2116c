"""What alerts.yaml says of who is told: rules, quiet times and the detectors' own thresholds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from bartizan.dispatch.scope import Scope
from bartizan.model.anomaly import Incident
from bartizan.model.calendar_entries import CalendarEntries

DEFAULT_THRESHOLD = 70.0


@dataclass(frozen=True)
class Change:
    """A change that matters: by at least `absolute`, in the unit of the measure, and `percent`."""

    absolute: float = 0.0
    percent: float = 0.0

    def reached(self, by: float, base: float) -> bool:
        """Whether a change `by` so much from `base` matters; from 0 any change is of every percent.
        NaN matters: nothing is held back for a number that is not known."""
        return not (by < self.absolute or by * 100 < self.percent * abs(base))


ANY_CHANGE = Change()
NO_CHANGE = Change(math.inf, math.inf)


@dataclass(frozen=True)
class Rule(Scope):
    """Tells the channels of its scope of incidents that meet all its conditions.

    `min_severity` None is the alert threshold of the incident's detector. `min_change` is that of
    the value against the expected one. The first message waits for `intervals` anomalous ones among
    `among` in a row, and until the incident is known for `wait`, or for `unacknowledged_for` while
    nobody acknowledges it. With `worse_by`, an update is told only when the severity has risen a
    level since, or the deviation so much.
    """

    min_severity: float | None = None
    min_change: Change = ANY_CHANGE
    intervals: int = 1
    among: int = 1
    wait: timedelta = timedelta()
    unacknowledged_for: timedelta = timedelta()
    worse_by: Change | None = None


@dataclass(frozen=True)
class Quiet(Scope):
    """Times whose incidents the channels of its scope are not told of, below `min_severity` or,
    when it is None, at all."""

    why: str = ""
    times: CalendarEntries = field(default_factory=CalendarEntries)
    min_severity: float | None = None


@dataclass(frozen=True)
class Flapping:
    """What has ended `after` so many times in the time `within` is flapping, until nothing of it
    was open for the time `stable`. Only the `channels` named are spared."""

    channels: frozenset[str]
    after: int = 3
    within: timedelta = timedelta(days=1)
    stable: timedelta = timedelta(hours=2)


@dataclass(frozen=True)
class CatchUp:
    """Scoring that is `behind` catches up with an outage: what is open is held meanwhile, each
    change for `at_most`. What was found so long after its end is history. Both may be longer by two
    intervals, because a long one is over late."""

    behind: timedelta = timedelta(hours=6)
    at_most: timedelta = timedelta(minutes=30)

    def is_late(self, incident: Incident, by: timedelta) -> bool:
        return by > self.behind + 2 * timedelta(seconds=incident.frequency_seconds)


EVERYTHING = (Rule(),)


@dataclass(frozen=True)
class Rulebook:
    """`thresholds` maps detectors to their alert thresholds; without `flapping` nothing is, and
    without `catch_up` nothing is late."""

    rules: Sequence[Rule] = EVERYTHING
    quiet: Sequence[Quiet] = ()
    thresholds: Mapping[str, float] = field(default_factory=dict)
    flapping: Flapping | None = None
    catch_up: CatchUp | None = None

    def threshold(self, detector: str) -> float:
        return self.thresholds.get(detector, DEFAULT_THRESHOLD)
