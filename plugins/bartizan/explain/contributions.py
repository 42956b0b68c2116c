"""How much each dimension value has to do with an anomaly group."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from fractions import Fraction

from bartizan.model.anomaly import Anomaly, Contribution


def contributions(
    anomalies: Sequence[Anomaly], dimensions: Sequence[str]
) -> tuple[Contribution, ...]:
    """Share of |value - expected| per dimension value, in percent, largest first.

    Per dimension the whole numbers add to exactly 100 (largest remainder method, ties by name);
    values whose share rounds to nothing are left out. Where nothing deviates, every anomaly
    weighs the same.
    """
    weights = [_deviation(anomaly) for anomaly in anomalies]
    if not any(weights):
        weights = [Fraction(1)] * len(weights)
    result: list[Contribution] = []
    for dimension in dimensions:
        by_value: dict[str, Fraction] = defaultdict(Fraction)
        for anomaly, weight in zip(anomalies, weights, strict=True):
            by_value[dict(anomaly.dimensions)[dimension]] += weight
        shares = sorted(_percent(by_value).items(), key=lambda item: (-item[1], item[0]))
        result += [Contribution(dimension, value, share) for value, share in shares if share]
    return tuple(result)


def _deviation(anomaly: Anomaly) -> Fraction:
    """Exact, so that the order of the anomalies cannot change a share.

    A series without an expectation (NaN) deviates by all of its value.
    """
    expected = anomaly.expected if math.isfinite(anomaly.expected) else 0.0
    return abs(Fraction(anomaly.value) - Fraction(expected))


def _percent(weights: dict[str, Fraction]) -> dict[str, int]:
    """Largest remainder (Hamilton) apportionment of 100."""
    total = sum(weights.values(), Fraction(0))
    quotas = {name: 100 * weight / total for name, weight in weights.items()}
    shares = {name: math.floor(quota) for name, quota in quotas.items()}
    by_remainder = sorted(quotas, key=lambda name: (shares[name] - quotas[name], name))
    for name in by_remainder[: 100 - sum(shares.values())]:
        shares[name] += 1
    return shares
