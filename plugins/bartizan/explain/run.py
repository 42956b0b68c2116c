"""Explains what is not explained yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from bartizan.engines.duckdb import DuckDBEngine
from bartizan.explain.contributions import contributions
from bartizan.explain.evidence import evidence
from bartizan.explain.explanation import explanation
from bartizan.explain.joining import join_stories
from bartizan.explain.samples import samples
from bartizan.model.anomaly import Incident
from bartizan.model.connector import Connector
from bartizan.store import Store
from bartizan.store.incidents import save_explanation, unexplained
from bartizan.store.scores import measure_scores


def explain(
    store: Store, root: Path, engine: DuckDBEngine, connectors: Mapping[str, Connector]
) -> list[str]:
    """Save contributions, root causes and samples of every incident that lacks them, and join it
    to a story; returns ids.

    `root` is the lake folder, where the scores lie. A second run finds nothing to do. An incident
    of a connector that no longer exists gets its contributions only. One that changes meanwhile
    stays unexplained, for the next run.
    """
    done = [
        one.incident.id
        for one in unexplained(store)
        if save_explanation(
            store, _explained(store, one.incident, root, engine, connectors), one.change
        )
    ]
    join_stories(store)
    return done


def _explained(
    store: Store,
    incident: Incident,
    root: Path,
    engine: DuckDBEngine,
    connectors: Mapping[str, Connector],
) -> Incident:
    dimensions = [name for name, _ in incident.peak.dimensions]
    known = replace(incident, contributions=contributions(incident.anomalies, dimensions))
    connector = connectors.get(incident.detector)
    if connector is None:
        return known
    scores = measure_scores(root, connector, incident.measure, incident.window)
    known = replace(known, explanation=explanation(scores, incident, connector))
    return replace(
        known,
        samples=samples(engine, connector, incident),
        evidence=evidence(store, engine, connector, known),
    )
