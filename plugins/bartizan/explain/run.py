"""Explains what is not explained yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from bartizan.engines.duckdb import DuckDBEngine
from bartizan.explain.contributions import contributions
from bartizan.explain.samples import samples
from bartizan.model.anomaly import Incident
from bartizan.model.connector import Connector
from bartizan.store import Store
from bartizan.store.incidents import save_explanation, unexplained


def explain(store: Store, engine: DuckDBEngine, connectors: Mapping[str, Connector]) -> list[str]:
    """Save contributions and samples of every incident that lacks them; returns the ids.

    A second run finds nothing to do. An incident of a connector that no longer exists gets its
    contributions, and no samples. One that changes meanwhile stays unexplained, for the next run.
    """
    return [
        one.incident.id
        for one in unexplained(store)
        if save_explanation(store, _explained(one.incident, engine, connectors), one.change)
    ]


def _explained(
    incident: Incident, engine: DuckDBEngine, connectors: Mapping[str, Connector]
) -> Incident:
    dimensions = [name for name, _ in incident.peak.dimensions]
    connector = connectors.get(incident.detector)
    return replace(
        incident,
        contributions=contributions(incident.anomalies, dimensions),
        samples=samples(engine, connector, incident) if connector else (),
    )
