"""Detectors: what each watches, how ready it is, what it found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from bartizan import jobs
from bartizan.errors import ConfigError
from bartizan.model.anomaly import IncidentState
from bartizan.model.connector import Connector
from bartizan.model.window import parse_time
from bartizan.store import Store
from bartizan.store.detectors import DetectorRecord, DetectorStatus, load_detector
from bartizan.store.incident_counts import incident_counts


@dataclass(frozen=True)
class Detector:
    """A connector and what watches its metrics. `backfills` says whether there is a DAG that
    writes its history; `promoted` whether it judges what is live."""

    name: str
    description: str
    source: str
    every: timedelta
    dimensions: tuple[str, ...]
    measures: tuple[str, ...]
    threshold: float
    state: DetectorStatus
    reason: str
    learned_start: datetime | None
    learned_end: datetime | None
    scored_through: datetime | None
    series: int
    series_ready: int
    open: int
    over: int
    backfills: bool
    promoted: bool


@dataclass(frozen=True)
class Detectors:
    """`broken` are connectors that cannot be read, with what is wrong."""

    detectors: tuple[Detector, ...]
    broken: tuple[tuple[str, str], ...]


def detectors(store: Store) -> Detectors:
    """All of this installation, those that watch first, then by name."""
    counts = incident_counts(store)
    found: list[Detector] = []
    broken: list[tuple[str, str]] = []
    for name in jobs.connector_names():
        try:
            connector = jobs.load_connector(name)
        except ConfigError as error:
            broken.append((name, str(error)))
            continue
        found.append(_detector(connector, load_detector(store, name), counts.get(name, {})))
    found.sort(key=lambda one: (one.state is DetectorStatus.INACTIVE, one.name))
    return Detectors(tuple(found), tuple(broken))


def _detector(
    connector: Connector, record: DetectorRecord, counts: Mapping[IncidentState, int]
) -> Detector:
    return Detector(
        name=connector.name,
        description=connector.description,
        source="files" if connector.source else connector.engine,
        every=connector.frequency,
        dimensions=connector.dimensions,
        measures=tuple(measure.name for measure in connector.measures),
        threshold=connector.alert_threshold,
        state=record.state,
        reason=record.reason,
        learned_start=_time(record.learned_start),
        learned_end=_time(record.learned_end),
        scored_through=_time(record.scored_through),
        series=record.series,
        series_ready=record.series_ready,
        open=counts.get(IncidentState.OPEN, 0),
        over=counts.get(IncidentState.RESOLVED, 0),
        backfills=connector.source is None,
        promoted=record.state is not DetectorStatus.DEACTIVATED and bool(record.scored_through),
    )


def _time(text: str | None) -> datetime | None:
    return parse_time(text) if text else None
