"""What feedback changes: scores of intervals from its time on, and what is learned later.

Pure: the same feedback changes the same intervals live, in a replay and in a backtest.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np
import pandas as pd

from bartizan.detect.group import anomalous, find_groups
from bartizan.detect.judge import EXPECTED
from bartizan.detect.panel import FEEDBACK, RAW_SEVERITY, TIME, Flags, Floats
from bartizan.model.anomaly import Direction, Incident
from bartizan.model.connector import Connector
from bartizan.model.feedback import EXCUSING, Combination, Feedback, FeedbackKind
from bartizan.model.window import naive

BEYOND = 1.25  # times the incident's ratio and change is more than was excused
HELD = 0.99  # of the alert threshold: severity of what is excused
ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Effect:
    """Ids of past incidents that a feedback would have removed and changed, had it been given
    before them."""

    removed: tuple[str, ...]
    changed: tuple[str, ...]


def limits(incident: Incident) -> tuple[float, float]:
    """The largest ratio and the largest change of the incident's anomalies."""
    value = np.array([one.value for one in incident.anomalies])
    expected = np.array([one.expected for one in incident.anomalies])
    ratio, change = _extent(value, expected, incident.direction)
    return float(ratio.max()), float(change.max())


def excuse(
    scores: pd.DataFrame, connector: Connector, feedback: Iterable[Feedback]
) -> pd.DataFrame:
    """Scores (as from `score`) in which anomalies that are alike what was expected, or a false
    alarm, have reason "expected" and a severity below the alert threshold.

    Then there are two more columns: `raw_severity`, NaN where severity is as it was, and `feedback`
    with the id of what changed the row. What exceeds the incident by a quarter, as a factor or as a
    difference, is no longer alike.
    """
    excusing = [one for one in feedback if one.kind in EXCUSING]
    points = anomalous(scores, connector.alert_threshold) if excusing else scores[:0]
    by = pd.Series("", index=points.index, dtype=object)
    for one in excusing:
        by[_is_excused(points, one) & (by == "").to_numpy()] = one.id
    by = by[by != ""]
    if by.empty:
        return scores
    held = np.minimum(scores.loc[by.index, "severity"], HELD * connector.alert_threshold)
    result = scores.assign(**{RAW_SEVERITY: np.nan, FEEDBACK: None})
    lower = held.index[held < scores.loc[held.index, "severity"]]
    result.loc[lower, RAW_SEVERITY] = scores.loc[lower, "severity"]
    result.loc[by.index, "severity"] = held
    result.loc[by.index, "reason"] = EXPECTED
    result.loc[by.index, FEEDBACK] = by
    return result


def from_new_level(
    history: pd.DataFrame, feedback: Iterable[Feedback], learned_end: datetime
) -> pd.DataFrame:
    """History up to `learned_end` without what came before a new normal, in its series: they begin
    where the incident began."""
    for one in feedback:
        holds = one.since < learned_end and (one.until is None or learned_end <= one.until)
        if one.kind is FeedbackKind.NEW_NORMAL and holds:
            before = (history[TIME] < naive(one.begins)).to_numpy()
            history = history[~(before & _alike(history, one.combinations))]
    return history


def effect(feedback: Feedback, past: Sequence[Incident], connector: Connector) -> Effect:
    """What the feedback would have done to past incidents of its detector."""
    always = replace(feedback, since=ALWAYS, until=None)
    alike = [one for one in past if _may_excuse(feedback, one)]
    if not alike:
        return Effect((), ())
    points = _points(alike)
    excused = excuse(points, connector, [always])
    if excused is points:
        return Effect((), ())
    of = np.repeat(np.arange(len(alike)), [len(one.anomalies) for one in alike])
    rest = anomalous(excused, connector.alert_threshold)
    removed: list[str] = []
    changed: list[str] = []
    for number in np.unique(of[excused[FEEDBACK].notna()]):
        left = rest[of[rest.index] == number]
        told = len(left) and find_groups(left, connector, connector.alert_threshold)
        (changed if told else removed).append(alike[number].id)
    return Effect(tuple(removed), tuple(changed))


def _may_excuse(feedback: Feedback, incident: Incident) -> bool:
    """Whether a series of the incident is alike; of thousands most are not."""
    if (feedback.measure, feedback.direction) != (incident.measure, incident.direction):
        return False
    wanted = [set(one) for one in feedback.combinations]
    series = {one.dimensions for one in incident.anomalies}
    return any(one.issubset(dimensions) for dimensions in series for one in wanted)


def _points(incidents: Iterable[Incident]) -> pd.DataFrame:
    """The anomalies of incidents as rows of scores."""
    return pd.DataFrame(
        [
            {TIME: naive(one.interval.start), **dict(one.dimensions), "measure": incident.measure}
            | {name: getattr(one, name) for name in ("value", "expected", "lower", "upper")}
            | {
                "severity": float(one.severity),
                "direction": one.direction.value,
                "reason": one.reason,
            }
            for incident in incidents
            for one in incident.anomalies
        ]
    )


def _is_excused(points: pd.DataFrame, one: Feedback) -> Flags:
    start = points[TIME]
    about = (points["measure"] == one.measure) & (points["direction"] == one.direction.value)
    about &= start >= naive(one.since)
    if one.until is not None:
        about &= start < naive(one.until)
    value, expected = (points[name].to_numpy(dtype=float) for name in ("value", "expected"))
    ratio, change = _extent(value, expected, one.direction)
    within = (ratio <= BEYOND * one.ratio) & (change <= BEYOND * one.change)
    result: Flags = about.to_numpy(dtype=bool) & within & _alike(points, one.combinations)
    return result


def _extent(value: Floats, expected: Floats, direction: Direction) -> tuple[Floats, Floats]:
    """How many times, and how far, values are beyond what was expected; infinitely many times
    where nothing was."""
    up = direction is Direction.ABOVE
    more, less = (value, expected) if up else (expected, value)
    ratio = np.divide(more, less, out=np.full(len(more), np.inf), where=less > 0)
    return ratio, np.abs(value - expected)


def _alike(rows: pd.DataFrame, combinations: Iterable[Combination]) -> Flags:
    """Which rows have all values of one of the combinations."""
    by_names: dict[tuple[str, ...], set[tuple[str, ...]]] = defaultdict(set)
    for one in combinations:
        by_names[tuple(name for name, _ in one)].add(tuple(value for _, value in one))
    found = np.zeros(len(rows), dtype=np.bool_)
    for names, values in by_names.items():
        found |= _has(rows, names, values)
    return found


def _has(rows: pd.DataFrame, names: tuple[str, ...], values: set[tuple[str, ...]]) -> Flags:
    if not names:
        return np.ones(len(rows), dtype=np.bool_)
    if len(names) == 1:
        single: Flags = rows[names[0]].isin([value for (value,) in values]).to_numpy(dtype=bool)
        return single
    result: Flags = pd.MultiIndex.from_frame(rows[list(names)]).isin(list(values))
    return result
