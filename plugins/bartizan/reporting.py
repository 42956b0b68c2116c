"""Gathers what the HTML report shows and has it written."""

from __future__ import annotations

from pathlib import Path

from bartizan.config import Settings
from bartizan.detect.scores import load_scores
from bartizan.dispatch.report import write_report
from bartizan.dispatch.report_data import ReportData
from bartizan.errors import UsageError
from bartizan.lake import Lake
from bartizan.model.anomaly import Incident
from bartizan.model.attack import AttackLabel
from bartizan.model.connector import Connector
from bartizan.model.window import DAY, Window
from bartizan.overview import quarantine_reasons
from bartizan.simulate.labels import LABELS_FILE, read_labels
from bartizan.store import Store
from bartizan.store.detectors import load_detector
from bartizan.store.incidents import load_incidents
from bartizan.store.landing import landed_hours, object_count, totals
from bartizan.store.validations import outcomes


def write(
    store: Store, lake: Lake, settings: Settings, connectors: dict[str, Connector], path: Path
) -> None:
    """Write the report of everything landed so far. Raises UsageError when nothing was."""
    hours = landed_hours(store)
    if not hours:
        raise UsageError("report", "no requests were landed yet", "run `bartizan land` first")
    period = Window(hours[0], Window.hour(hours[-1]).end)
    scored = Window(period.start, max(period.end, period.start + DAY))
    write_report(
        path,
        ReportData(
            title="AWS WAF anomalies",
            period=period,
            objects=object_count(store),
            counts=totals(store),
            incidents=tuple(by_severity(store)),
            scores={name: load_scores(settings.lake, c, scored) for name, c in connectors.items()},
            detectors=tuple(load_detector(store, name) for name in connectors),
            validation=tuple(outcomes(store)),
            quarantine=quarantine_reasons(lake),
            labels=labels(settings),
        ),
    )


def by_severity(store: Store) -> list[Incident]:
    """All incidents, the most severe first, then by time."""
    known = [change.incident for change in load_incidents(store)]
    return sorted(known, key=lambda incident: (-incident.severity, incident.window, incident.id))


def labels(settings: Settings) -> tuple[AttackLabel, ...]:
    """The simulated attacks, when the source folder was written by the simulator."""
    if not (settings.source / LABELS_FILE).exists():
        return ()
    return read_labels(settings.source)
