"""From scores to incidents: the verdict, and which anomalies belong together.

Anomalous points (severity at or above the threshold) are one group when they share measure,
direction and the value of the first dimension (two web ACLs are two causes) and their intervals
adjoin or start at most half an hour apart, so that an event of short intervals which flickers
around the threshold stays one.
A single anomalous point makes an incident only from severity 85; weaker ones need company, which
the others that the same total raised are not.
An incident is resolved when scoring has gone so far beyond its end that no later point can join it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from math import log2

import numpy as np
import pandas as pd

from bartizan.detect.judge import CONTINUES, TOGETHER
from bartizan.detect.panel import TIME
from bartizan.model.anomaly import Anomaly, Direction, Incident, IncidentState
from bartizan.model.connector import Aggregation, Connector
from bartizan.model.ids import stable_uuid
from bartizan.model.window import Window, aware, format_time

ALONE = 85.0
BREADTH = 5.0  # most that many series can add to a group's severity
REACH = timedelta(minutes=30)


def reach(connector: Connector) -> timedelta:
    """How long after one point starts the next may start to be of the same incident."""
    return max(connector.frequency, REACH)


def anomalous(scores: pd.DataFrame, threshold: float) -> pd.DataFrame:
    """The points of `scores` that can be part of an incident: new ones, and what continues them."""
    if scores.empty:
        return scores
    told = (scores["severity"] >= threshold) | (scores["reason"] == CONTINUES)
    return scores[told & (scores["direction"] != "")]


def settled(incident: Incident, connector: Connector, scored_through: datetime) -> Incident:
    """The incident as resolved when its end lies far enough before `scored_through`, else open."""
    over = incident.window.end + reach(connector) <= scored_through
    return replace(incident, state=IncidentState.RESOLVED if over else IncidentState.OPEN)


def find_groups(scores: pd.DataFrame, connector: Connector, threshold: float) -> list[Incident]:
    """Incidents in `scores` (as from `score`), in order of start, measure, cause and direction."""
    points = anomalous(scores, threshold)
    if points.empty:
        return []
    cause = list(connector.dimensions[:1])
    same = ["measure", *cause, "direction"]
    order = [*same, TIME, *connector.dimensions[1:]]
    points = points.sort_values(order, ignore_index=True)
    start = points[TIME]
    fresh = (points[same] != points[same].shift()).any(axis=1) | (
        start - start.shift() > reach(connector)
    )
    groups = [rows for _, rows in points.groupby(np.cumsum(fresh.to_numpy()))]
    incidents = [
        _incident(rows, connector)
        for rows in groups
        if rows["severity"].max() >= (threshold if _company(rows) else max(threshold, ALONE))
    ]
    return sorted(incidents, key=lambda i: (i.window, i.measure, i.anomalies[0].dimensions, i.id))


def _company(rows: pd.DataFrame) -> bool:
    """Whether there is more than one sign: what a total raises in an interval is one."""
    raised = rows["reason"] == TOGETHER
    return int((~raised).sum()) + int(rows.loc[raised, TIME].nunique()) > 1


def _incident(rows: pd.DataFrame, connector: Connector) -> Incident:
    anomalies = tuple(_anomalies(rows, connector))
    first, last = anomalies[0].interval, anomalies[-1].interval
    measure, direction = rows["measure"].iloc[0], Direction(rows["direction"].iloc[0])
    cause = anomalies[0].dimensions[0][1] if connector.dimensions else ""
    series = len({anomaly.dimensions for anomaly in anomalies})
    worst = max(anomaly.severity for anomaly in anomalies)
    value, expected = rows["value"], rows["expected"]
    is_sum = _aggregation(connector, measure) in (Aggregation.SUM, Aggregation.COUNT)
    return Incident(
        id=stable_uuid(connector.name, measure, direction, cause, format_time(first.start)),
        detector=connector.name,
        measure=measure,
        window=Window(first.start, last.end),
        frequency_seconds=int(connector.frequency.total_seconds()),
        severity=round(min(100.0, worst + min(BREADTH, log2(series))), 2),
        direction=direction,
        value=float(value.sum() if is_sum else value.mean()),
        expected=float(expected.sum() if is_sum else expected.mean()),
        anomalies=anomalies,
    )


def _anomalies(rows: pd.DataFrame, connector: Connector) -> list[Anomaly]:
    numbers = rows[["value", "expected", "lower", "upper", "severity"]].to_numpy(dtype=float)
    starts = [aware(start.to_pydatetime()) for start in rows[TIME]]
    names = rows[list(connector.dimensions)].to_numpy(dtype=object)
    return [
        Anomaly(
            Window(start, start + connector.frequency),
            tuple(zip(connector.dimensions, map(str, values), strict=True)),
            value=float(value),
            expected=float(expected),
            lower=float(lower),
            upper=float(upper),
            severity=float(severity),
            direction=Direction(direction),
            reason=reason,
        )
        for start, values, (value, expected, lower, upper, severity), direction, reason in zip(
            starts, names, numbers, rows["direction"], rows["reason"], strict=True
        )
    ]


def _aggregation(connector: Connector, measure: str) -> Aggregation:
    return next(m.aggregation for m in connector.measures if m.name == measure)
