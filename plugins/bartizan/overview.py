"""What this installation holds, gathered from store, lake and metric files: numbers only."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from upath import UPath

from bartizan.config import Settings
from bartizan.crawl.quality import latest_quality
from bartizan.lake import Lake
from bartizan.model.anomaly import IncidentState
from bartizan.model.connector import Connector
from bartizan.model.health import HEALTH
from bartizan.model.landing import BatchCounts, BatchState
from bartizan.model.story import headline, moment
from bartizan.model.window import Window
from bartizan.store import Store
from bartizan.store.detectors import DetectorRecord, load_detector
from bartizan.store.drift import Drift, load_drift
from bartizan.store.incidents import load_incidents
from bartizan.store.landing import object_count, totals
from bartizan.store.messages import counts as message_counts
from bartizan.store.reconciliation import Reconciled, reconciled, unbalanced
from bartizan.store.tables import (
    aggregate_checks,
    built_hours,
    closed_hours,
    incidents,
    landing_batches,
    validation_results,
)


@dataclass(frozen=True)
class Checks:
    """Outcomes of checks: passed, failed at level warn, failed at level fail."""

    passed: int
    warned: int
    failed: int


@dataclass(frozen=True)
class Watched:
    """A connector: intervals written by backfill and live, its detector, and the data quality of
    its last live day (crawl/quality.py), None before the first."""

    backfilled: int
    crawled: int
    detector: DetectorRecord
    quality: dict[str, Any] | None


@dataclass(frozen=True)
class Overview:
    """`batches` by state, `rejected` reason by batch id, `quarantine` records by reason,
    `aggregates` hours built by table, `messages` by channel and state, `health` the open incidents
    about ourselves in words. `unbalanced` batches and objects have other than requests + duplicates
    + quarantined = records: it must be 0."""

    objects: int
    counts: BatchCounts
    batches: dict[str, int]
    rejected: dict[str, str]
    quarantine: dict[str, int]
    too_late: int  # requests of hours that they did not open again
    unbalanced: int
    drift: list[Drift]
    reconciled: Reconciled
    validation: Checks
    aggregates: dict[str, int]
    aggregate_checks: Checks
    watched: dict[str, Watched]
    incidents: int
    messages: dict[str, dict[str, int]]
    health: list[str]


def look(
    store: Store, lake: Lake, settings: Settings, connectors: dict[str, Connector]
) -> Overview:
    """Gather the overview; reads counts and manifests, no rows of requests."""
    with store.transaction() as connection:

        def by(column: object, condition: object = True) -> dict[str, int]:
            query = select(column, func.count()).where(condition).group_by(column)  # type: ignore[call-overload]
            return {str(row[0]): int(row[1]) for row in connection.execute(query)}

        batches = by(landing_batches.c.state)
        rejected = {
            row.batch_id: row.reason
            for row in connection.execute(
                select(landing_batches).where(landing_batches.c.state == BatchState.REJECTED)
            )
        }
        good = by(validation_results.c.level, validation_results.c.passed.is_(True))
        bad = by(validation_results.c.level, validation_results.c.passed.is_(False))
        clean = by(aggregate_checks.c.level, aggregate_checks.c.bad_rows == 0)
        dirty = by(aggregate_checks.c.level, aggregate_checks.c.bad_rows > 0)
        aggregates = by(built_hours.c.table_name)
        closed = connection.execute(select(func.coalesce(func.sum(closed_hours.c.requests), 0)))
        too_late = int(closed.scalar_one())
        found = connection.execute(
            select(func.count()).where(incidents.c.state != IncidentState.WITHDRAWN)
        ).scalar_one()
    return Overview(
        objects=object_count(store),
        counts=totals(store),
        batches=batches,
        rejected=rejected,
        quarantine=quarantine_reasons(lake),
        too_late=too_late,
        unbalanced=unbalanced(store),
        drift=load_drift(store),
        reconciled=reconciled(store),
        validation=_checks(good, bad),
        aggregates=aggregates,
        aggregate_checks=_checks(clean, dirty),
        watched={name: _watched(store, settings, c) for name, c in sorted(connectors.items())},
        incidents=found,
        messages=message_counts(store),
        health=_health(store),
    )


def quarantine_reasons(lake: Lake) -> dict[str, int]:
    """Number of quarantined records by reason, the most frequent first."""
    reasons = lake.table("waf.quarantine").scan(selected_fields=("reason",)).to_arrow()
    counted = reasons.group_by("reason").aggregate([("reason", "count")]).to_pylist()
    ordered = sorted(counted, key=lambda row: (-row["reason_count"], row["reason"]))
    return {row["reason"]: row["reason_count"] for row in ordered}


def _checks(good: dict[str, int], bad: dict[str, int]) -> Checks:
    return Checks(sum(good.values()), bad.get("warn", 0), bad.get("fail", 0))


def _watched(store: Store, settings: Settings, connector: Connector) -> Watched:
    folder = settings.metrics / connector.name
    return Watched(
        backfilled=sum(
            round((window.end - window.start) / connector.frequency)
            for window in _manifests(folder / "backtest")
        ),
        crawled=sum(1 for _ in (folder / "live").glob("*/*/_manifest.json")),
        detector=load_detector(store, connector.name),
        quality=latest_quality(settings.metrics, connector),
    )


def _manifests(folder: UPath) -> list[Window]:
    """Spans that the manifests directly in a folder cover."""
    return [Window.from_json(json.loads(path.read_text())) for path in folder.glob("_*.json")]


def _health(store: Store) -> list[str]:
    """The open incidents about ourselves, a line each."""
    known = [one.incident for one in load_incidents(store, detector=HEALTH)]
    return [
        f"{headline(one)}, since {moment(one.window.start)}"
        for one in known
        if one.state is IncidentState.OPEN
    ]
