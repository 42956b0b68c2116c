"""The swim-lane heat map: which web ACL and detector was unusual when, and how severely."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from bartizan.model.anomaly import Incident
from bartizan.model.story import severity_label, shown
from bartizan.model.window import HOUR, Window, floor

MOST_COLUMNS = 96
MOST_LANES = 30
LABELS, CELL, ROW, TOP = 300, 700, 32, 22  # of the drawing: width of names and of all cells, height


@dataclass(frozen=True)
class Cell:
    """The highest severity of a lane's anomalies that start in an hour, or a few."""

    start: datetime
    severity: float
    left: float
    width: float

    @property
    def label(self) -> str:
        return severity_label(self.severity).lower()


@dataclass(frozen=True)
class Lane:
    """`place` is the value of the detector's first dimension, such as a web ACL."""

    place: str
    detector: str
    top: int
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Lanes:
    """`step` is what a column stands for; `ticks` are times with their place."""

    lanes: tuple[Lane, ...]
    left_out: int
    step: timedelta
    ticks: tuple[tuple[datetime, float], ...]

    @property
    def height(self) -> int:
        return TOP + ROW * len(self.lanes)


def lanes(incidents: Sequence[Incident], period: Window) -> Lanes:
    """Lanes by place and detector, of at most 96 columns; those beyond 30 are counted only, the
    least severe first."""
    begin = floor(period.start, HOUR)
    hours = max(ceil((period.end - begin) / HOUR), 1)
    step = ceil(hours / MOST_COLUMNS) * HOUR
    columns = ceil(hours * HOUR / step)
    worst: dict[tuple[str, str], dict[int, float]] = defaultdict(dict)
    for incident in incidents:
        for anomaly in incident.anomalies:
            column = (anomaly.interval.start - begin) // step
            if 0 <= column < columns:
                lane = worst[_place(incident), incident.detector]
                lane[column] = max(anomaly.severity, lane.get(column, 0.0))
    kept = sorted(worst, key=lambda lane: (-max(worst[lane].values()), lane))[:MOST_LANES]
    width = CELL / columns
    return Lanes(
        tuple(
            Lane(
                *lane,
                TOP + ROW * row,
                tuple(
                    Cell(
                        begin + at * step, severity, round(LABELS + at * width, 2), round(width, 2)
                    )
                    for at, severity in sorted(worst[lane].items())
                ),
            )
            for row, lane in enumerate(sorted(kept))
        ),
        len(worst) - len(kept),
        step,
        tuple(
            (begin + at * step, round(LABELS + at * width, 2))
            for at in range(0, columns, ceil(columns / 8))
        ),
    )


def _place(incident: Incident) -> str:
    dimensions = incident.peak.dimensions
    return shown(dimensions[0][1]) if dimensions else "all"
