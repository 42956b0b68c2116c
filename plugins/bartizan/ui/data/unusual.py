"""The series that stand out in a selection, the most severe first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from bartizan.model.story import compared, severity_label
from bartizan.model.window import aware
from bartizan.ui.data.stored import Stored
from bartizan.ui.selection import Selection

MOST_SERIES = 20


@dataclass(frozen=True)
class Unusual:
    """A series with its most severe value; `about` leads to it alone."""

    detector: str
    measure: str
    dimensions: tuple[tuple[str, str], ...]
    at: datetime
    value: float
    expected: float
    severity: int
    reason: str
    about: Selection

    @property
    def label(self) -> str:
        return severity_label(self.severity).lower()

    @property
    def told(self) -> str:
        return compared(self.value, self.expected)


def unusual(found: Sequence[Stored], selection: Selection) -> tuple[Unusual, ...]:
    """Each series once, at most MOST_SERIES."""
    series = [one for part in found for one in _worst(part, selection)]
    return tuple(sorted(series, key=_order)[:MOST_SERIES])


def _order(one: Unusual) -> tuple[object, ...]:
    return (-one.severity, one.at, one.detector, one.measure, one.dimensions)


def _worst(part: Stored, selection: Selection) -> Iterator[Unusual]:
    chosen = np.flatnonzero(part.having(selection) & part.during(selection.chosen))
    order = np.lexsort((part.times[chosen], -part.severity[chosen]))
    seen: set[tuple[str, ...]] = set()
    names = (*part.connector.dimensions, "measure")
    coded = [part.coded(name) for name in names]
    for row in chosen[order]:
        values = tuple(texts[codes[row]] for texts, codes in coded)
        if values in seen:
            continue
        seen.add(values)
        yield _unusual(part, int(row), values, selection)
        if len(seen) == MOST_SERIES:
            return


def _unusual(part: Stored, row: int, values: tuple[str, ...], selection: Selection) -> Unusual:
    dimensions = tuple(zip(part.connector.dimensions, values[:-1], strict=True))
    about = selection.having("detector", part.connector.name).having("measure", values[-1])
    for name, value in dimensions:
        about = about.having(name, value)
    columns = part.notable.rows
    return Unusual(
        detector=part.connector.name,
        measure=values[-1],
        dimensions=dimensions,
        at=aware(part.times[row].item()),
        value=columns["value"][row].as_py(),
        expected=columns["expected"][row].as_py(),
        severity=round(part.severity[row]),
        reason=str(columns["reason"][row].as_py()),
        about=about,
    )
