"""Gathers what else is known of an incident from the aggregates, by a few small queries."""

from __future__ import annotations

from datetime import timedelta

from bartizan.engines.duckdb import DuckDBEngine
from bartizan.engines.sql import text_literal
from bartizan.explain.queries import queries
from bartizan.model.anomaly import Incident
from bartizan.model.connector import Connector
from bartizan.model.evidence import Evidence, FirstSeen, Impact
from bartizan.model.leading import leading
from bartizan.model.window import HOUR, Window, floor
from bartizan.store import Store
from bartizan.store.aggregates import hours_built

WEEK = timedelta(days=7)
LONGEST = timedelta(days=35)  # that is looked back for what was never seen
SHORTEST = timedelta(days=1)  # less says nothing
_MOST = 5  # values that are looked for
_LONGEST_VALUE = 500  # characters

# Dimension: the aggregate that has it, whether it holds every value, and what counts as seen.
_TABLES = {
    "rule": ("agg_rule_5m", True, "hits"),
    "country": ("agg_country_1h", True, "requests"),
    "label": ("agg_label_5m", True, "requests"),
    "uri_template": ("agg_uri_5m", False, "requests"),
    "fingerprint": ("agg_fingerprint_5m", False, "requests"),
}

_ALLOWED = """
select coalesce(cast(sum(requests) as bigint), 0) as allowed
from agg.agg_action_5m
where bucket >= {{ start }} and bucket < {{ end }} and webacl = %(webacl)s and action = 'ALLOW'"""

_SEEN = """
select cast(coalesce(sum(%(count)s), 0) as bigint) as seen
from agg.%(table)s
where bucket >= {{ start }} and bucket < {{ end }}
    and webacl = %(webacl)s and %(dimension)s = %(value)s"""


def evidence(
    store: Store, engine: DuckDBEngine, connector: Connector, incident: Incident
) -> Evidence:
    """Impact and values that are new, of connectors that read the lake and begin with the web ACL;
    and the queries behind the numbers."""
    dimensions = incident.peak.dimensions
    webacl = dict(dimensions).get("webacl") if connector.reads_lake else None
    if webacl is None or dimensions[0][0] != "webacl":
        return Evidence(queries=tuple(queries(connector, incident)))
    return Evidence(
        _impact(store, engine, webacl, incident),
        _first_seen(store, engine, webacl, incident),
        tuple(queries(connector, incident)),
    )


def _impact(store: Store, engine: DuckDBEngine, webacl: str, incident: Incident) -> Impact | None:
    """None while not all hours, now and a week before, are aggregated."""
    now = incident.window
    before = Window(now.start - WEEK, now.end - WEEK)
    if not all(_is_built(store, "agg_action_5m", window) for window in (now, before)):
        return None
    query = _ALLOWED % {"webacl": text_literal(webacl)}
    allowed, a_week_ago = (
        int(engine.query(query, window, "impact")["allowed"][0].as_py()) for window in (now, before)
    )
    return Impact(allowed, a_week_ago)


def _is_built(store: Store, table: str, window: Window) -> bool:
    hours = Window(floor(window.start, HOUR), window.end)
    return len(hours_built(store, table, hours)) >= (hours.end - hours.start) / HOUR


def _first_seen(
    store: Store, engine: DuckDBEngine, webacl: str, incident: Incident
) -> tuple[FirstSeen, ...]:
    begins = floor(incident.window.start, HOUR)
    found = []
    for name, value in sorted(leading(incident))[: 2 * _MOST]:
        if name not in _TABLES or value in ("", "Default_Action") or len(value) > _LONGEST_VALUE:
            continue
        table, exact, count = _TABLES[name]
        past = hours_built(store, table, Window(begins - LONGEST, begins))
        if not past or begins - past[0] < SHORTEST:
            continue
        query = _SEEN % {
            "count": count,
            "table": table,
            "dimension": name,
            "webacl": text_literal(webacl),
            "value": text_literal(value),
        }
        rows = engine.query(query, Window(past[0], begins), "first seen")
        if rows["seen"][0].as_py() == 0:
            found.append(FirstSeen(name, value, (begins - past[0]).days, exact))
    return tuple(found[:_MOST])
