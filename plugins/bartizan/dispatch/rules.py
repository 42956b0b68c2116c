"""Who hears of a change, and why not: one pure function."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bartizan.model.anomaly import Incident, IncidentState
from bartizan.store.incidents import IncidentChange
from bartizan.store.routing import Past, Route

DEFAULT_THRESHOLD = 70.0


@dataclass(frozen=True)
class Rule:
    """Tells `channels` of incidents of `detectors`; None stands for all of them.

    `min_severity` None is the alert threshold of the incident's detector.
    """

    detectors: frozenset[str] | None = None
    channels: frozenset[str] | None = None
    min_severity: float | None = None

    def covers(self, detector: str, channel: str) -> bool:
        return (self.detectors is None or detector in self.detectors) and (
            self.channels is None or channel in self.channels
        )


EVERYTHING = (Rule(),)


def route(
    change: IncidentChange,
    past: Past,
    channels: Iterable[str],
    rules: Sequence[Rule],
    thresholds: Mapping[str, float],
) -> tuple[Route, ...]:
    """One route per channel, in order. `thresholds` maps detectors to their alert thresholds.

    Nothing is told before it is explained. Whoever was told of an incident hears how it ends,
    whatever calendars and rules say by then. Whoever an earlier change has not reached gets this
    one in its place.
    """
    return tuple(_to(channel, change, past, rules, thresholds) for channel in channels)


def _to(
    channel: str,
    change: IncidentChange,
    past: Past,
    rules: Sequence[Rule],
    thresholds: Mapping[str, float],
) -> Route:
    return _whatever_the_rules(channel, change, past) or _by_rules(
        channel, change.incident, past, rules, thresholds
    )


def _whatever_the_rules(channel: str, change: IncidentChange, past: Past) -> Route | None:
    state, told = change.incident.state, channel in past.heard
    if state is IncidentState.WITHDRAWN and not told:
        return Route(channel, False, "withdrawn, and it was never told here")
    if not change.explained:
        return Route(channel, None, "not explained yet")
    if state is not IncidentState.OPEN and told:
        return Route(channel, True, f"{state.value}, and it was told here")
    return None


def _by_rules(
    channel: str,
    incident: Incident,
    past: Past,
    rules: Sequence[Rule],
    thresholds: Mapping[str, float],
) -> Route:
    if incident.muted:
        return Route(channel, False, f"muted: {incident.muted}")
    if channel in past.owed:
        return Route(channel, True, "an earlier change has not arrived")
    covering = [rule for rule in rules if rule.covers(incident.detector, channel)]
    if not covering:
        return Route(channel, False, f"no rule names detector {incident.detector}")
    usual = thresholds.get(incident.detector, DEFAULT_THRESHOLD)
    least = min(usual if rule.min_severity is None else rule.min_severity for rule in covering)
    if incident.severity < least:
        return Route(channel, False, f"severity {incident.severity:.2f} is below {least:g}")
    return Route(channel, True, f"severity {incident.severity:.2f} reaches {least:g}")
