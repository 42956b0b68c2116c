"""Gathers what the report shows and has it written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import func, select

from bartizan.config import Settings
from bartizan.detect.scores import load_scores
from bartizan.dispatch.report import write_report
from bartizan.dispatch.report_data import ReportData, Traffic
from bartizan.engines.duckdb import DuckDBEngine
from bartizan.errors import UsageError
from bartizan.lake import Lake
from bartizan.model.anomaly import Incident
from bartizan.model.attack import AttackLabel
from bartizan.model.connector import Connector
from bartizan.model.window import Window, aware
from bartizan.overview import quarantine_reasons
from bartizan.simulate.labels import LABELS_FILE, read_labels
from bartizan.store import Store
from bartizan.store.detectors import load_detector
from bartizan.store.incidents import load_incidents
from bartizan.store.landing import landed_hours, object_count, totals
from bartizan.store.stories import story_ids
from bartizan.store.tables import closed_hours
from bartizan.store.validations import outcomes

_COUNTED = """
select
    cast(sum(requests) as bigint) as requests,
    cast(sum(case when action = 'BLOCK' then requests else 0 end) as bigint) as blocked
from agg.agg_action_5m
where bucket >= {{ start }} and bucket < {{ end }}"""

_NEWEST = """
select max(event_time) as newest
from waf.requests
where event_time >= {{ start }} and event_time < {{ end }}"""


_AROUND = timedelta(days=1)  # of scores on both sides, for the plots


def write(
    store: Store,
    lake: Lake,
    settings: Settings,
    connectors: dict[str, Connector],
    path: Path,
    window: Window | None = None,
    enrich: Callable[[Incident], Incident] = lambda incident: incident,
) -> None:
    """Write the report of the incidents that start in `window`, or of everything landed so far.

    HTML, Markdown or JSON by the ending of `path`. `enrich` adds what is told with an incident.
    Raises UsageError for another ending, and when nothing was landed.
    """
    hours = landed_hours(store)
    if not hours:
        raise UsageError("report", "no requests were landed yet", "run `bartizan land` first")
    period = window or Window(hours[0], Window.hour(hours[-1]).end)
    incidents = tuple(map(enrich, by_severity(store, window)))
    scored = Window(period.start - _AROUND, period.end + _AROUND)
    shown = {one.detector for one in incidents} & connectors.keys()
    write_report(
        path,
        ReportData(
            title="AWS WAF anomalies",
            period=period,
            objects=object_count(store),
            counts=totals(store),
            incidents=incidents,
            scores={
                name: load_scores(settings.lake, connectors[name], scored) for name in sorted(shown)
            },
            detectors=tuple(load_detector(store, name) for name in connectors),
            validation=tuple(outcomes(store)),
            quarantine=quarantine_reasons(lake),
            labels=tuple(one for one in labels(settings) if period.overlaps(one.window)),
            told=story_ids(store, (one.id for one in incidents)),
            traffic=traffic(store, lake, period, hours),
        ),
    )


def traffic(store: Store, lake: Lake, period: Window, hours: Sequence[datetime]) -> Traffic | None:
    """Requests of the period, of aggregates; None while these are not built."""
    if "agg.agg_action_5m" not in lake.names():
        return None
    engine, last = DuckDBEngine(lake), Window.hour(hours[-1])
    (counted,) = engine.query(_COUNTED, period, "report").to_pylist()
    (newest,) = engine.query(_NEWEST, last, "report").to_pylist()
    with store.transaction() as connection:
        late = connection.execute(select(func.coalesce(func.sum(closed_hours.c.requests), 0)))
        return Traffic(
            int(counted["requests"] or 0),
            int(counted["blocked"] or 0),
            newest["newest"] and aware(newest["newest"]),
            int(late.scalar_one()),
        )


def by_severity(store: Store, window: Window | None = None) -> list[Incident]:
    """All incidents that start in `window`, the most severe first, then by time."""
    known = [change.incident for change in load_incidents(store, window)]
    return sorted(known, key=lambda incident: (-incident.severity, incident.window, incident.id))


def labels(settings: Settings) -> tuple[AttackLabel, ...]:
    """The simulated attacks, when the source folder was written by the simulator."""
    if not (settings.source / LABELS_FILE).exists():
        return ()
    return read_labels(settings.source)
