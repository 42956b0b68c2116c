"""Queries that give the numbers of an incident again, ready to be run by a person."""

from __future__ import annotations

from collections.abc import Iterator

from bartizan.engines.sql import render, text_literal
from bartizan.explain.samples import sample_query
from bartizan.model.anomaly import Incident
from bartizan.model.connector import Aggregation, Connector, Measure
from bartizan.model.evidence import Query
from bartizan.model.window import Window

Dimensions = tuple[tuple[str, str], ...]

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

_OBSERVED = """
select %(dimension)s, sum(%(column)s) as observed
from (
%(query)s
) as metrics
where
    %(series)s
group by 1
order by 2 desc"""

_EXPECTED = """
select
    %(dimension)s,
    sum(value) as observed,
    sum(if(isfinite(expected), expected, 0)) as expected
from read_parquet('detectors/%(detector)s/scores/*.parquet')
where
    measure = %(measure)s and isfinite(value)
    and interval_start >= {{ start }} and interval_start < {{ end }}
    and %(series)s
group by 1
order by 2 desc"""


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


def sums_queries(
    connector: Connector, measure: Measure, dimension: str, where: Dimensions, window: Window
) -> Iterator[Query]:
    """Sums of a measure by one dimension: as the connector's source has them, where that is SQL;
    and what was expected, of the stored scores."""
    if any(len(value) > _LONGEST for _, value in where):
        return
    parts = {"dimension": dimension, "series": _same(where), "detector": connector.name}
    plain = measure.aggregation is Aggregation.SUM and not connector.filters
    if plain and connector.query_file.endswith(".sql") and connector.query:
        query = _OBSERVED % {
            **parts,
            "column": measure.columns[0],
            "query": connector.query.strip().rstrip(";"),
        }
        said = f"Observed by {dimension}, {connector.engine}"
        yield Query(said, render(query, window, connector.origin).strip())
    expected = _EXPECTED % {**parts, "measure": _literal(measure.name)}
    said = f"Expected by {dimension}, DuckDB in the folder of the lake"
    yield Query(said, render(expected, window).strip())


def _same(dimensions: Dimensions) -> str:
    """Metric files write NULL as an empty string."""
    conditions = [f"coalesce({name}, '') = {_literal(value)}" for name, value in dimensions]
    return "(" + " and ".join(conditions) + ")" if conditions else "true"


def _literal(text: str) -> str:
    """As people write it where nothing in the text could mean anything else to an engine."""
    plain = text.isascii() and text.isprintable() and not set(text) & set("\\'{}%;")
    return f"'{text}'" if plain else text_literal(text)
