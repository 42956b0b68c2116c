"""From scores to incidents: the verdict, and which anomalies belong together.

Anomalous points (severity at or above the threshold) are one group when they share measure,
direction and the value of the first dimension (two web ACLs are two causes) and their intervals
adjoin or start at most half an hour apart, so that an event of short intervals which flickers
around the threshold stays one.
A single anomalous point makes an incident only from severity 85; weaker ones need company, which
the others that the same total or mix raised are not.
An incident is resolved when scoring has gone so far beyond its end that no later point can join it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import log2

import numpy as np
import pandas as pd

from bartizan.detect.judge import CONTINUES, MIX, TOGETHER
from bartizan.detect.panel import TIME, Flags, Floats, Integers, Times
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
    return Points.of(scores, connector, threshold).groups(threshold)


@dataclass(frozen=True)
class Points:
    """Points (N) that can be part of an incident at some threshold or a higher one, those of one
    measure, cause and direction (`place`) together, in order of time."""

    connector: Connector
    measures: Sequence[str]
    anomalies: Sequence[Anomaly]
    place: Integers
    starts: Times
    numbers: Floats  # value, expected, severity (3, N)
    continues: Flags
    raised: Flags  # by a total or a mix

    @classmethod
    def of(cls, scores: pd.DataFrame, connector: Connector, threshold: float) -> Points:
        """Those of scores (as from `score`) at a threshold."""
        rows = anomalous(scores, threshold)
        same = ["measure", *connector.dimensions[:1], "direction"]
        if rows.empty:
            none = np.zeros(0, np.bool_)
            times = np.zeros(0, "datetime64[us]")
            return cls(
                connector, (), (), none.astype(np.int64), times, np.zeros((3, 0)), none, none
            )
        rows = rows.sort_values([*same, TIME, *connector.dimensions[1:]], ignore_index=True)
        fresh = (rows[same] != rows[same].shift()).any(axis=1)
        return cls(
            connector,
            rows["measure"].tolist(),
            tuple(_anomalies(rows, connector)),
            np.cumsum(fresh.to_numpy()),
            rows[TIME].to_numpy(dtype="datetime64[us]"),
            rows[["value", "expected", "severity"]].to_numpy(dtype=float).T,
            (rows["reason"] == CONTINUES).to_numpy(dtype=bool),
            rows["reason"].isin([TOGETHER, MIX]).to_numpy(dtype=bool),
        )

    def groups(self, threshold: float) -> list[Incident]:
        """Incidents at a threshold, in order of start, measure, cause and direction."""
        told = np.flatnonzero((self.numbers[2] >= threshold) | self.continues)
        if not len(told):
            return []
        apart = np.diff(self.starts[told]) > np.timedelta64(reach(self.connector), "us")
        others = np.flatnonzero(apart | (np.diff(self.place[told]) != 0)) + 1
        worst = np.fmax.reduceat(self.numbers[2][told], [0, *others])
        found = [
            self._incident(rows, float(most))
            for rows, most in zip(np.split(told, others), worst, strict=True)
            if most >= threshold and (most >= ALONE or self._company(rows))
        ]
        return sorted(found, key=lambda i: (i.window, i.measure, i.anomalies[0].dimensions, i.id))

    def _company(self, rows: Integers) -> bool:
        """Whether there is more than one sign: all that is raised in an interval is one."""
        if len(rows) == 1:
            return False
        raised = rows[self.raised[rows]]
        return len(rows) - len(raised) + len(np.unique(self.starts[raised])) > 1

    def _incident(self, rows: Integers, worst: float) -> Incident:
        connector = self.connector
        anomalies = tuple(self.anomalies[row] for row in rows)
        first, last, measure = anomalies[0], anomalies[-1], self.measures[rows[0]]
        cause = first.dimensions[0][1] if connector.dimensions else ""
        series = len({anomaly.dimensions for anomaly in anomalies})
        is_sum = _aggregation(connector, measure) in (Aggregation.SUM, Aggregation.COUNT)
        value, expected = (np.nansum if is_sum else np.nanmean)(self.numbers[:2, rows], axis=1)
        start = format_time(first.interval.start)
        return Incident(
            id=stable_uuid(connector.name, measure, first.direction, cause, start),
            detector=connector.name,
            measure=measure,
            window=Window(first.interval.start, last.interval.end),
            frequency_seconds=int(connector.frequency.total_seconds()),
            severity=round(min(100.0, worst + min(BREADTH, log2(series))), 2),
            direction=first.direction,
            value=float(value),
            expected=float(expected),
            anomalies=anomalies,
        )


def _anomalies(rows: pd.DataFrame, connector: Connector) -> Iterator[Anomaly]:
    numbers = rows[["value", "expected", "lower", "upper", "severity"]].to_numpy(dtype=float)
    starts = [aware(start.to_pydatetime()) for start in rows[TIME]]
    names = rows[list(connector.dimensions)].to_numpy(dtype=object)
    told = zip(starts, names, numbers.tolist(), rows["direction"], rows["reason"], strict=True)
    for start, values, (value, expected, lower, upper, severity), direction, reason in told:
        yield Anomaly(
            Window(start, start + connector.frequency),
            tuple(zip(connector.dimensions, map(str, values), strict=True)),
            value=value,
            expected=expected,
            lower=lower,
            upper=upper,
            severity=severity,
            direction=Direction(direction),
            reason=reason,
        )


def _aggregation(connector: Connector, measure: str) -> Aggregation:
    return next(m.aggregation for m in connector.measures if m.name == measure)
