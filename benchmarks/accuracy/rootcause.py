"""Which dimension values explain a fault: exact matches of three ways to say so."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from accuracy.detector import Floats
from accuracy.faults import CAUSES, LAYERS, NOISES, SIZES, Combination, Fault
from accuracy.figures import f1
from bartizan.explain.contributions import contributions
from bartizan.model.anomaly import Anomaly, Direction
from bartizan.model.window import Window

Explain = Callable[[Fault], frozenset[Combination]]

POWER, LEAST_POWER = 0.67, 0.1  # Adtributor's thresholds of explanatory power, as published


def plain_contribution(fault: Fault) -> frozenset[Combination]:
    """The fewest values of one dimension that make up 67 % of all deviation."""
    weight = np.abs(fault.actual - fault.forecast)
    weight /= max(weight.sum(), 1e-12)
    answers = []
    for dimension, size in enumerate(SIZES):
        share = np.bincount(fault.codes[:, dimension], weight, size)
        order = np.argsort(-share, kind="stable")
        needed = int(np.searchsorted(np.cumsum(share[order]), POWER)) + 1
        answers.append((needed, -share[order[:needed]].sum(), dimension, order[:needed]))
    _, _, dimension, values = min(answers, key=lambda answer: answer[:3])
    return frozenset(((dimension, int(value)),) for value in values)


def adtributor(fault: Fault) -> frozenset[Combination]:
    """Bhagwan et al. 2014: explanatory power and surprise of the values of one dimension."""
    change = fault.actual.sum() - fault.forecast.sum()
    answers = []
    for dimension, size in enumerate(SIZES):
        actual, forecast = (
            np.bincount(fault.codes[:, dimension], values, size)
            for values in (fault.actual, fault.forecast)
        )
        power = (actual - forecast) / (change or 1e-12)
        surprise = _surprise(forecast / forecast.sum(), actual / actual.sum())
        chosen, explained = [], 0.0
        for value in np.argsort(-surprise, kind="stable"):
            if power[value] > LEAST_POWER:
                chosen.append(int(value))
                explained += power[value]
            if explained > POWER:
                answers.append((float(surprise[chosen].sum()), dimension, chosen))
                break
    if not answers:
        return frozenset()
    _, dimension, values = max(answers)
    return frozenset(((dimension, value),) for value in values)


def _surprise(expected: Floats, seen: Floats) -> Floats:
    """Each value's part of the Jensen-Shannon divergence."""
    middle = (expected + seen) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = [np.nan_to_num(p * np.log(p / middle)) for p in (expected, seen)]
    return (parts[0] + parts[1]) / 2


HOUR = Window(
    datetime(2026, 11, 2, tzinfo=UTC), datetime(2026, 11, 2, tzinfo=UTC) + timedelta(hours=1)
)
LEAST_CHANGE = 0.25  # the smallest relative change of a count that the detector calls anomalous


def bartizan(fault: Fault) -> frozenset[Combination]:
    """Contributions of the leaves that changed by a quarter in the direction of the whole.

    They are shares, not an answer. Read as a person would: the values that hold more than half of
    their dimension's deviation, together.
    """
    change = fault.actual - fault.forecast
    up = bool(change.sum() > 0)
    anomalous = np.flatnonzero((change if up else -change) >= LEAST_CHANGE * fault.forecast)
    names = [str(dimension) for dimension in range(len(SIZES))]
    anomalies = [
        Anomaly(
            HOUR,
            tuple(zip(names, map(str, fault.codes[leaf]), strict=True)),
            value=float(fault.actual[leaf]),
            expected=float(fault.forecast[leaf]),
            lower=0.0,
            upper=0.0,
            severity=90.0,
            direction=Direction.ABOVE if up else Direction.BELOW,
            reason="spike" if up else "drop",
        )
        for leaf in anomalous
    ]
    shares = contributions(anomalies, names)
    held = sorted((int(one.dimension), int(one.value)) for one in shares if one.percent > 50)
    return frozenset([tuple(held)] if held else [])


METHODS: dict[str, Explain] = {
    "Bartizan": bartizan,
    "plain contribution": plain_contribution,
    "Adtributor": adtributor,
}


@dataclass(frozen=True)
class Result:
    """One fault: root causes that are true, said, and both; `seconds` of the method."""

    method: str
    noise: float
    layer: int
    causes: int
    hits: int
    said: int
    seconds: float


def results(given: Iterable[Fault], methods: dict[str, Explain] | None = None) -> list[Result]:
    found = []
    for fault in given:
        for name, method in (methods or METHODS).items():
            start = time.perf_counter()
            said = method(fault)
            seconds = time.perf_counter() - start
            hits = len(said & fault.causes)
            case = (fault.noise, fault.layer, len(fault.causes))
            found.append(Result(name, *case, hits, len(said), seconds))
    return found


def exact(found: Sequence[Result]) -> float:
    """F1 over all root causes of all faults together, as published; only exact ones count."""
    return f1(*(sum(getattr(one, key) for one in found) for key in ("hits", "said", "causes")))


def table(found: Sequence[Result]) -> tuple[list[str], list[list[str]]]:
    head = ["method", "faults", "F1"]
    head += [f"noise {noise:.0%}" for noise in NOISES]
    head += [f"layer {layer}" for layer in LAYERS] + [f"{count} causes" for count in CAUSES]
    rows = []
    for name in dict.fromkeys(one.method for one in found):
        own = [one for one in found if one.method == name]
        parts = [[one for one in own if one.noise == noise] for noise in NOISES]
        parts += [[one for one in own if one.layer == layer] for layer in LAYERS]
        parts += [[one for one in own if one.causes == count] for count in CAUSES]
        rows.append([name, str(len(own)), *(f"{exact(part):.2f}" for part in (own, *parts))])
    return [*head, "ms a fault"], [
        [*row, f"{1000 * np.mean([o.seconds for o in found if o.method == row[0]]):.0f}"]
        for row in rows
    ]


def plain(found: Sequence[Result]) -> list[dict[str, Any]]:
    return [asdict(one) for one in found]
