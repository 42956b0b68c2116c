"""Root causes of an incident, with the share each holds and what would be without them."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa

from bartizan.explain.causes import Element, root_causes
from bartizan.explain.cuboids import Codes
from bartizan.explain.leaves import Leaves, leaves
from bartizan.explain.noise import is_noise
from bartizan.model.anomaly import Anomaly, Direction, Explanation, Incident, RootCause
from bartizan.model.connector import Aggregation, Connector

MOST_NAMED = 3  # causes; what takes more is no compact explanation
LEAST_PERCENT = 5  # of the incident's change; less is no cause of it
NEAR = 0.1  # relative change of the rest in the incident's direction that nobody minds

Dimensions = tuple[tuple[str, str], ...]


def explanation(scores: pa.Table, incident: Incident, connector: Connector) -> Explanation | None:
    """What explains the incident, of `scores` of its measure and window (see `leaves`).

    None when there is nothing to search: fewer than two series, or a measure whose values do not
    add up over series (AVG, percentiles, ratios, distinct counts).
    """
    if not connector.dimensions or not _adds_up(connector, incident.measure):
        return None
    among = leaves(scores, incident)
    if len(among) < 2:
        return None
    sign = 1 if incident.direction is Direction.ABOVE else -1
    found = root_causes(among.codes, among.value, among.expected, sign, certain=True)
    named = [(_named(one, among, incident), one.leaves) for one in found]
    shares = _shares([dimensions for dimensions, _ in named], incident.anomalies)
    causes = [
        (RootCause(dimensions, *_sums(among, members), share), members)
        for (dimensions, members), share in zip(named, shares, strict=True)
        if share >= LEAST_PERCENT
    ]
    causes = sorted(causes, key=lambda one: -one[0].percent)[:MOST_NAMED]
    rest = np.ones(len(among), dtype=bool)
    for _, members in causes:
        rest[members] = False
    value, expected = among.value[rest], among.expected[rest]
    change = sign * (math.fsum(value) - math.fsum(expected))
    return Explanation(
        tuple(cause for cause, _ in causes),
        math.fsum(value),
        math.fsum(expected),
        change <= NEAR * math.fsum(expected) or is_noise(value, expected),
    )


def _adds_up(connector: Connector, measure: str) -> bool:
    aggregation = next((m.aggregation for m in connector.measures if m.name == measure), None)
    return aggregation in (Aggregation.SUM, Aggregation.COUNT)


def _named(element: Element, among: Leaves, incident: Incident) -> Dimensions:
    """The element's values, and the first dimension's where all leaves share it."""
    dimensions = [name for name, _ in incident.peak.dimensions]
    numbered = dict(element.values)
    if len(among.names[0]) == 1:
        numbered[0] = 0
    return tuple((dimensions[at], among.names[at][numbered[at]]) for at in sorted(numbered))


def _shares(causes: list[Dimensions], anomalies: tuple[Anomaly, ...]) -> list[int]:
    """Percent of the anomalies' deviation that is in each cause and in none before it."""
    deviations: list[list[float]] = [[] for _ in causes]
    for anomaly in anomalies:
        own = set(anomaly.dimensions)
        first = next((at for at, cause in enumerate(causes) if own.issuperset(cause)), None)
        if first is not None:
            deviations[first].append(_deviation(anomaly))
    whole = math.fsum(map(_deviation, anomalies)) or 1.0
    return [math.floor(100 * math.fsum(part) / whole) for part in deviations]


def _deviation(anomaly: Anomaly) -> float:
    """A series without an expectation deviates by all of its value."""
    return abs(anomaly.value - (anomaly.expected if math.isfinite(anomaly.expected) else 0.0))


def _sums(among: Leaves, members: Codes) -> tuple[float, float]:
    return math.fsum(among.value[members]), math.fsum(among.expected[members])
