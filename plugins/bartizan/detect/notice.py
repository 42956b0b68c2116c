"""What people are told of an incident beside what it is: that it is muted, or whether it is normal.

The detector learns a new level within hours, or at the next midnight; then the incident is over
although nothing went back. So that no level becomes the norm without a word, it is asked about some
time after an incident began (`ask_after` of the connector): when the incident goes on, or when the
last day of its series is still as far from what was expected a week earlier as half of the
incident's own change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta

import pandas as pd
import pyarrow as pa

from bartizan.detect.panel import TIME
from bartizan.detect.special import why_muted
from bartizan.model.anomaly import Direction, Incident
from bartizan.model.connector import Connector
from bartizan.model.feedback import Feedback, FeedbackKind
from bartizan.model.window import DAY, Window

WEEK = timedelta(days=7)
PART = 0.5  # of the incident's change that must have stayed
LEAST = 0.5  # of the day's intervals must be known, in both weeks

# Value and expected of a measure's series in a window: `store.scores.measure_scores`.
Scores = Callable[[str, Window], pa.Table]


def noticed(
    incident: Incident,
    connector: Connector,
    through: datetime,
    scores: Scores,
    feedback: Iterable[Feedback],
) -> Incident:
    """The incident as people are told of it, scored `through` then."""
    said = any(
        one.incident == incident.id and one.is_last and one.kind is not FeedbackKind.NONE
        for one in feedback
    )
    asked_at = incident.window.start + max(connector.ask_after, 3 * connector.frequency)
    asks = (
        not said
        and asked_at <= through
        and (incident.window.end >= asked_at or _stayed(incident, connector, asked_at, scores))
    )
    return replace(incident, muted=why_muted(incident, connector), asks_new_normal=asks)


def _stayed(incident: Incident, connector: Connector, until: datetime, scores: Scores) -> bool:
    """Whether the day before `until` is still changed as the incident was."""
    day = Window(until - max(DAY, 3 * connector.frequency), until)
    before = Window(day.start - WEEK, day.end - WEEK)
    keys = [TIME, *connector.dimensions]
    mine = pd.DataFrame(
        sorted({tuple(value for _, value in one.dimensions) for one in incident.anomalies}),
        columns=list(connector.dimensions),
    )
    now = scores(incident.measure, day).to_pandas()
    then = scores(incident.measure, before).to_pandas()
    then[TIME] += WEEK
    both = now[[*keys, "value"]].merge(then[[*keys, "expected"]], on=keys).dropna()
    if connector.dimensions:
        both = both.merge(mine, on=list(connector.dimensions))
    due = (day.end - day.start) / connector.frequency
    if both[TIME].nunique() < LEAST * due or both["expected"].sum() <= 0 or incident.expected <= 0:
        return False
    side = 1 if incident.direction is Direction.ABOVE else -1
    stayed = side * (both["value"].sum() / both["expected"].sum() - 1)
    change = side * (incident.value / incident.expected - 1)
    return bool(stayed >= PART * change > 0)
