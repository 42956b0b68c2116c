"""The heat map: which values of a dimension were unusual when, and how severely."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

import numpy as np
from numpy.typing import NDArray

from bartizan.model.story import severity_label
from bartizan.model.window import DAY, HOUR, Window, floor, naive
from bartizan.ui.data.stored import Flags, Stored
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
    def ticks(self) -> tuple[str, ...]:
        """What is written over each column: the time of some, days where there are several."""
        starts = [column.window.start for column in self.columns]
        unit = DAY if starts[-1] - starts[0] > 2 * DAY else HOUR
        first = floor(starts[0], unit)
        apart = max(ceil((starts[-1] - first) / unit / TICKS), 1) * unit
        found, before = [], -1
        for at in starts:
            count = (at - first) // apart
            form = "%d %b" if unit == DAY or at == floor(at, DAY) else "%H:%M"
            found.append(at.strftime(form) if count > before else "")
            before = count
        return tuple(found)

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
    kept = [(one, one.having(others)) for one in found]
    highest = _highest(kept, selection.by)
    chosen = sorted(highest, key=lambda name: (-highest[name], name))[:MOST_ROWS]
    columns = _Columns.of(found, selection.window)
    cells = len(chosen) * columns.count  # row after row in one array, where numpy adds fastest
    severities, values = np.zeros(cells), np.zeros(cells, np.int64)
    for one, rows in kept:
        row = _numbers(one, selection.by, chosen)
        there = np.flatnonzero(rows & (row >= 0))
        for which, column in columns.of_intervals(one.times[there], one.connector.frequency):
            some = there[which]
            place = row[some] * columns.count + column
            np.maximum.at(severities, place, one.severity[some])
            values += np.bincount(place, minlength=cells)
    by_row = (one.reshape(-1, columns.count) for one in (severities, values))
    return Heat(
        columns.step,
        columns.judged(found),
        tuple(_row(*row) for row in zip(chosen, *by_row, strict=True)),
        len(highest) - len(chosen),
    )


def column_step(window: Window, frequency: timedelta) -> timedelta:
    """What a column stands for: at least an interval, and so much that there are few columns."""
    length = window.end - window.start
    fits = (one for one in _STEPS if one >= frequency and length / one <= MOST_COLUMNS - 1)
    return next(fits, _STEPS[-1])


def _highest(kept: Iterable[tuple[Stored, Flags]], by: str) -> dict[str, float]:
    """The highest severity of every value that rows can be of."""
    found: dict[str, float] = {}
    for one, rows in kept:
        names, codes = one.coded(by)
        most = np.zeros(len(names))
        np.maximum.at(most, codes[rows], one.severity[rows])
        for code in np.flatnonzero(most):
            found[names[code]] = max(found.get(names[code], 0.0), float(most[code]))
    return found


def _numbers(one: Stored, name: str, chosen: Sequence[str]) -> NDArray[np.int64]:
    """The row of the heat map of each row of scores, -1 of those that it leaves out."""
    names, codes = one.coded(name)
    place = {value: number for number, value in enumerate(chosen)}
    return np.array([place.get(value, -1) for value in names])[codes]


@dataclass(frozen=True)
class _Columns:
    """The columns of a window; the first and the last may be cut by it."""

    window: Window
    step: timedelta

    @classmethod
    def of(cls, found: Sequence[Stored], window: Window) -> _Columns:
        return cls(
            window,
            column_step(window, min((one.connector.frequency for one in found), default=HOUR)),
        )

    @property
    def begin(self) -> datetime:
        return floor(self.window.start, self.step)

    @property
    def count(self) -> int:
        return ceil((self.window.end - self.begin) / self.step)

    def of_intervals(
        self, starts: NDArray[np.datetime64], frequency: timedelta
    ) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """Which intervals are in which columns: in several, where intervals are longer."""
        since = starts - np.datetime64(naive(self.begin), "us")
        first = since // np.timedelta64(self.step, "us")
        for later in range(max(ceil(frequency / self.step), 1)):
            inside = np.flatnonzero(first + later < self.count)
            yield inside, first[inside] + later

    def judged(self, found: Iterable[Stored]) -> tuple[Column, ...]:
        flags = np.zeros(self.count, np.bool_)
        for one in found:
            for _, column in self.of_intervals(one.notable.judged, one.connector.frequency):
                flags[column] = True
        starts = (self.begin + at * self.step for at in range(self.count))
        return tuple(
            Column(
                Window(max(start, self.window.start), min(start + self.step, self.window.end)),
                bool(flag),
            )
            for start, flag in zip(starts, flags, strict=True)
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
