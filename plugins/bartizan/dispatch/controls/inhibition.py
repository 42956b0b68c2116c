"""One incident that explains others keeps them quiet, and each says by which.

A surge of a whole web ACL mutes those of its parts, for channels that know of it. Logs that are
late or missing mute what dropped in their hours.
"""

from __future__ import annotations

from datetime import timedelta

from bartizan.dispatch.controls.case import Case
from bartizan.dispatch.controls.worse import level
from bartizan.model.anomaly import Anomaly, Direction, Incident, IncidentState
from bartizan.model.health import ABOUT_LOGS, HEALTH
from bartizan.model.story import headline
from bartizan.model.text import short
from bartizan.store.routing import Route

# Requests that got through are most of all requests: a surge of one is a surge of the other.
_SAME = ({"allowed", "requests"},)


def inhibited(case: Case) -> Route | None:
    for other in case.past.beside:
        if other.incident.detector == HEALTH or case.channel in other.channels:
            what = short(headline(other.incident), 120)
            return case.refuse(f"inhibited by {other.incident.id}: {what}")
    return None


def inhibits(one: Incident, other: Incident) -> bool:
    """Whether `one` explains `other`."""
    if one.detector == HEALTH:
        return other.detector != HEALTH and _lacks_logs(one, other)
    return _is_whole_of(one, other)


def _is_whole_of(one: Incident, other: Incident) -> bool:
    """Same measure, direction and time, as severe, of fewer dimensions with all values shared."""
    return (
        _same_measure(one.measure, other.measure)
        and one.direction is other.direction
        and level(one.severity) >= level(other.severity)
        and _in_its_time(one, other)
        and _covers({anomaly.dimensions for anomaly in one.anomalies}, other)
    )


def _covers(series: set[tuple[tuple[str, str], ...]], other: Incident) -> bool:
    wholes = [set(dimensions) for dimensions in series if dimensions]
    parts = [set(anomaly.dimensions) for anomaly in other.anomalies]
    return all(any(whole < part for whole in wholes) for part in parts)


def _lacks_logs(one: Incident, other: Incident) -> bool:
    """All of a drop lies in hours without whole logs of its web ACL."""
    if one.measure not in ABOUT_LOGS or other.direction is not Direction.BELOW:
        return False
    return all(
        any(
            anomaly.interval.overlaps(lack.interval) and _same_values(lack, anomaly)
            for lack in one.anomalies
        )
        for anomaly in other.anomalies
    )


def _same_values(lack: Anomaly, anomaly: Anomaly) -> bool:
    return set(lack.dimensions) <= set(anomaly.dimensions)


def _same_measure(one: str, other: str) -> bool:
    return one == other or any({one, other} <= same for same in _SAME)


def _in_its_time(one: Incident, other: Incident) -> bool:
    """It began in the time of `one`, widened by an interval because sums lag, and while `one` is
    over, it ended so too: what begins before or outlasts it is no part of it."""
    step = timedelta(seconds=max(one.frequency_seconds, other.frequency_seconds))
    begins = one.window.start - step <= other.window.start < one.window.end + step
    goes_on = one.state is IncidentState.OPEN
    return begins and (goes_on or other.window.end <= one.window.end + step)
