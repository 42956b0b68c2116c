"""Queries that give the numbers of an incident again, ready to be run by a person."""

from __future__ import annotations

from collections.abc import Iterator

from bartizan.engines.sql import render, text_literal
from bartizan.explain.samples import sample_query
from bartizan.model.anomaly import Incident
from bartizan.model.connector import Connector
from bartizan.model.evidence import Query

MOST_SERIES = 5
_LONGEST = 200  # characters of a value in a query

_VALUES = """
select *
from (
%(query)s
) as metrics
where
    %(series)s
order by 1"""


def queries(connector: Connector, incident: Incident) -> Iterator[Query]:
    """The connector's query over the incident's window for its leading series, and the requests
    behind its peak. None of a connector without SQL, or of values that are very long."""
    series = [
        dimensions
        for dimensions in dict.fromkeys(
            a.dimensions for a in sorted(incident.anomalies, key=lambda a: -a.severity)
        )
        if all(len(value) <= _LONGEST for _, value in dimensions)
    ][:MOST_SERIES]
    if connector.query_file.endswith(".sql") and connector.query and series:
        query = _VALUES % {
            "query": connector.query.strip().rstrip(";"),
            "series": "\n    or ".join(map(_same, series)),
        }
        said = f"Values of {incident.measure} by interval, {connector.engine}"
        yield Query(said, render(query, incident.window, connector.origin).strip())
    requests = sample_query(connector, incident)
    if requests and all(len(value) <= _LONGEST for _, value in incident.peak.dimensions):
        yield Query("Requests behind the peak's series", render(requests, incident.window).strip())


def _same(dimensions: tuple[tuple[str, str], ...]) -> str:
    """Metric files write NULL as an empty string."""
    conditions = [f"coalesce({name}, '') = {_literal(value)}" for name, value in dimensions]
    return "(" + " and ".join(conditions) + ")" if conditions else "true"


def _literal(text: str) -> str:
    """As people write it where nothing in the text could mean anything else to an engine."""
    plain = text.isascii() and text.isprintable() and not set(text) & set("\\'{}%;")
    return f"'{text}'" if plain else text_literal(text)
