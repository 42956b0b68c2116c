"""The heat map: which values of a dimension were unusual when, and how severely."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

import numpy as np
from numpy.typing import NDArray

from bartizan.model.story import severity_label
from bartizan.model.window import DAY, HOUR, Window, floor, naive
from bartizan.ui.data.stored import Stored
from bartizan.ui.selection import Selection

MOST_COLUMNS = 96
MOST_ROWS = 30
TICKS = 8
_MINUTE = timedelta(minutes=1)
_STEPS = (
    *(minutes * _MINUTE for minutes in (5, 10, 15, 30)),
    *(hours * HOUR for hours in (1, 2, 3, 4, 6, 8, 12)),
    *(days * DAY for days in (1, 2, 4)),
)


@dataclass(frozen=True)
class Column:
    """`judged` says whether any series could be judged in it."""

    window: Window
    judged: bool


@dataclass(frozen=True)
class Cell:
    """The highest severity of `values` unusual values in a column."""

    column: int
    severity: int
    label: str
    values: int


@dataclass(frozen=True)
class Row:
    """`cells` are those with something unusual, by column."""

    value: str
    severity: int
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Heat:
    """Rows by severity, the highest first; `more` less severe ones are left out."""

    step: timedelta
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    more: int

    @property
    def ticks(self) -> int:
        """How many columns go between two that are named."""
        return ceil(len(self.columns) / TICKS)

    @property
    def judged(self) -> bool:
        return any(column.judged for column in self.columns)

    def cells_of(self, row: Row) -> Iterator[tuple[Column, Cell | None]]:
        """Every column, with what is unusual in it."""
        known = {cell.column: cell for cell in row.cells}
        return ((column, known.get(place)) for place, column in enumerate(self.columns))


def heat(found: Sequence[Stored], selection: Selection) -> Heat:
    """Of the whole window of the selection. Rows are by `selection.by`, whichever is chosen of
    them; all else that is chosen holds."""
    others = selection.lacking(selection.by)
    step = column_step(
        selection.window, min((one.connector.frequency for one in found), default=HOUR)
    )
    begin = floor(selection.window.start, step)
    width = ceil((selection.window.end - begin) / step)
    highest: dict[str, float] = {}
    kept = [(one, one.having(others)) for one in found]
    for one, rows in kept:
        names, codes = one.coded(selection.by)
        most = np.zeros(len(names))
        np.maximum.at(most, codes[rows], one.severity[rows])
        for code in np.flatnonzero(most):
            highest[names[code]] = max(highest.get(names[code], 0.0), float(most[code]))
    chosen = sorted(highest, key=lambda name: (-highest[name], name))[:MOST_ROWS]
    severities, counts = np.zeros((len(chosen), width)), np.zeros((len(chosen), width), np.int64)
    for one, rows in kept:
        row = _numbers(one, selection.by, chosen)[rows]
        column = (one.times[rows] - np.datetime64(naive(begin), "us")) // np.timedelta64(step, "us")
        there = row >= 0
        place = (row[there], column[there])
        np.maximum.at(severities, place, one.severity[rows][there])
        np.add.at(counts, place, 1)
    return Heat(
        step,
        _columns(found, selection.window, begin, step, width),
        tuple(_row(name, severities[place], counts[place]) for place, name in enumerate(chosen)),
        len(highest) - len(chosen),
    )


def column_step(window: Window, frequency: timedelta) -> timedelta:
    """What a column stands for: at least an interval, and so much that there are few columns."""
    length = window.end - window.start
    fits = (one for one in _STEPS if one >= frequency and length / one <= MOST_COLUMNS - 1)
    return next(fits, _STEPS[-1])


def _numbers(one: Stored, name: str, chosen: Sequence[str]) -> NDArray[np.int64]:
    """The row of the heat map of each row of scores, -1 of those that it leaves out."""
    names, codes = one.coded(name)
    place = {value: number for number, value in enumerate(chosen)}
    return np.array([place.get(value, -1) for value in names])[codes]


def _columns(
    found: Sequence[Stored], window: Window, begin: datetime, step: timedelta, width: int
) -> tuple[Column, ...]:
    judged = np.zeros(width, np.bool_)
    for one in found:
        since = one.notable.judged - np.datetime64(naive(begin), "us")
        judged[since // np.timedelta64(step, "us")] = True
    return tuple(
        Column(Window(max(start, window.start), min(start + step, window.end)), bool(judged[at]))
        for at in range(width)
        for start in [begin + at * step]
    )


def _row(name: str, severities: NDArray[np.float64], counts: NDArray[np.int64]) -> Row:
    return Row(
        name,
        round(severities.max()),
        tuple(
            Cell(
                int(at),
                round(severities[at]),
                severity_label(severities[at]).lower(),
                int(counts[at]),
            )
            for at in np.flatnonzero(counts)
        ),
    )
