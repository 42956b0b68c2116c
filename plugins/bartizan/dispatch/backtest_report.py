"""The HTML report of a backtest: alarms at each threshold, and what would have fired."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import log10
from pathlib import Path

import pandas as pd

from bartizan.dispatch.report import write_page
from bartizan.dispatch.report_data import ReportData
from bartizan.dispatch.report_view import incident_views
from bartizan.dispatch.series import series_of
from bartizan.model.anomaly import Incident
from bartizan.model.backtest import SeverityBin, Tally
from bartizan.model.landing import BatchCounts
from bartizan.model.story import shown
from bartizan.model.window import Window

PLOTTED = 12  # incidents with a plot
LISTED = 200  # incidents in the table
UNUSUAL = 50.0  # severity from which bins are shown


@dataclass(frozen=True)
class BacktestReport:
    """Everything the report shows; `incidents` the worst first, at `threshold`; `scores` as in
    ReportData; `switch_on` says how the detector goes live."""

    connector: str
    threshold: float
    learned: Window
    scored: Window
    ready: bool
    rows: int
    rejected: Mapping[str, int]
    tally: Tally
    incidents: tuple[Incident, ...]
    scores: pd.DataFrame
    switch_on: str


@dataclass(frozen=True)
class BinView:
    """Widths in percent, on a scale of powers of ten."""

    bin: SeverityBin
    found: float
    chance: float


@dataclass(frozen=True)
class AlarmView:
    """An incident with its leading series; `number` of its plot, 0 for none."""

    incident: Incident
    top: str
    number: int


def write_backtest(path: Path, report: BacktestReport) -> None:
    """Write the report to `path`, replacing what is there; the same data give the same bytes."""
    shown_first = ReportData(
        title=f"Backtest of {report.connector}",
        period=report.scored,
        objects=0,
        counts=BatchCounts(),
        incidents=report.incidents[:PLOTTED],
        scores={report.connector: report.scores},
    )
    write_page(
        path,
        "backtest.html.j2",
        report=report,
        title=shown_first.title,
        incidents=incident_views(shown_first),
        alarms=_alarms(report),
        alarms_left_out=max(len(report.incidents) - LISTED, 0),
        bins=_bins(report.tally),
        weeks=(report.scored.end - report.scored.start).total_seconds() / (7 * 86_400),
    )


def _alarms(report: BacktestReport) -> tuple[AlarmView, ...]:
    return tuple(
        AlarmView(one, _top(one), number if number <= PLOTTED else 0)
        for number, one in enumerate(report.incidents[:LISTED], start=1)
    )


def _top(incident: Incident) -> str:
    pairs = series_of(incident)[0].dimensions
    return ", ".join(f"{name} {shown(value)}" for name, value in pairs) or "all"


def _bins(tally: Tally) -> tuple[BinView, ...]:
    """Those beyond what is normal."""
    bins = [one for one in tally.severities if one.start >= UNUSUAL]
    most = max([1.0, *(one.points for one in bins), *(one.by_chance for one in bins)])
    return tuple(
        BinView(one, _width(one.points, most), _width(one.by_chance, most)) for one in bins
    )


def _width(count: float, most: float) -> float:
    return round(100 * log10(1 + count) / log10(1 + most), 2)
