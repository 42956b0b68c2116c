"""Which dimension values explain a fault: exact matches of three ways to say so."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from accuracy.counted import FAMILIES
from accuracy.detector import Floats
from accuracy.faults import CAUSES, LAYERS, NOISES, Combination, Fault
from accuracy.figures import f1
from bartizan.explain.causes import root_causes

Explain = Callable[[Fault], frozenset[Combination]]

POWER, LEAST_POWER = 0.67, 0.1  # Adtributor's thresholds of explanatory power, as published


def sizes(fault: Fault) -> list[int]:
    """Number of values of each dimension."""
    return [int(top) + 1 for top in fault.codes.max(axis=0)]


def plain_contribution(fault: Fault) -> frozenset[Combination]:
    """The fewest values of one dimension that make up 67 % of all deviation."""
    weight = np.abs(fault.actual - fault.forecast)
    weight /= max(weight.sum(), 1e-12)
    answers = []
    for dimension, size in enumerate(sizes(fault)):
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
    for dimension, size in enumerate(sizes(fault)):
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


def bartizan(fault: Fault) -> frozenset[Combination]:
    """The search over cuboids, with the settings it ships with."""
    found = root_causes(fault.codes, fault.actual, fault.forecast)
    return frozenset(one.values for one in found)


METHODS: dict[str, Explain] = {
    "Bartizan": bartizan,
    "plain contribution": plain_contribution,
    "Adtributor": adtributor,
}


@dataclass(frozen=True)
class Result:
    """One fault: root causes that are true, said, and both; `seconds` of the method."""

    method: str
    family: str
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
            found.append(Result(name, fault.family, *case, hits, len(said), seconds))
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


def families_table(found: Sequence[Result]) -> tuple[list[str], list[list[str]]]:
    rows = []
    for name in dict.fromkeys(one.method for one in found):
        own = [one for one in found if one.method == name]
        parts = [[one for one in own if one.family == family] for family in FAMILIES]
        milliseconds = 1000 * np.mean([one.seconds for one in own])
        figures = [f"{exact(part):.2f}" for part in (own, *parts)]
        rows.append([name, str(len(own)), *figures, f"{milliseconds:.0f}"])
    return ["method", "faults", "F1", *FAMILIES, "ms a fault"], rows


def plain(found: Sequence[Result]) -> list[dict[str, Any]]:
    return [asdict(one) for one in found]
