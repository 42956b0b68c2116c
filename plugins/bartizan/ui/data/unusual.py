"""The series that stand out in a selection, the most severe first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from bartizan.model.story import changed, severity_label
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
        return changed(self.reason, self.value, self.expected)


def unusual(found: Sequence[Stored], selection: Selection) -> tuple[Unusual, ...]:
    """Each series once, at most MOST_SERIES."""
    series = [one for part in found for one in _worst(part, selection)]
    return tuple(sorted(series, key=_order)[:MOST_SERIES])


def _order(one: Unusual) -> tuple[object, ...]:
    return (-one.severity, one.at, one.detector, one.measure, one.dimensions)


def _worst(part: Stored, selection: Selection) -> list[Unusual]:
    """Few rows are as severe as the worst: those are sorted first, and more if they are too few."""
    chosen = np.flatnonzero(part.having(selection) & part.during(selection.chosen))
    coded = [part.coded(name) for name in (*part.connector.dimensions, "measure")]
    looked_at = 100 * MOST_SERIES
    found: dict[tuple[str, ...], int] = {}
    while True:
        few = _most_severe(part, chosen, looked_at)
        for row in few:
            values = tuple(texts[codes[row]] for texts, codes in coded)
            found.setdefault(values, int(row))
            if len(found) == MOST_SERIES:
                break
        if len(found) == MOST_SERIES or len(few) == len(chosen):
            return [_unusual(part, row, values, selection) for values, row in found.items()]
        looked_at *= 100


def _most_severe(part: Stored, rows: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """The most severe of some rows, the earliest of equals."""
    severity = part.severity[rows]
    if len(rows) > most:
        least = np.partition(severity, len(rows) - most)[len(rows) - most]
        rows = rows[severity >= least]
    return rows[np.lexsort((part.times[rows], -part.severity[rows]))]


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
        value=_number(columns["value"][row].as_py()),
        expected=_number(columns["expected"][row].as_py()),
        severity=round(part.severity[row]),
        reason=str(columns["reason"][row].as_py()),
        about=about,
    )


def _number(stored: float | None) -> float:
    """Parquet writes what is not a number as null."""
    return float("nan") if stored is None else stored
