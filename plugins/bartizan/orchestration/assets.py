"""The assets that link the DAGs. Each event carries the windows it is about in its extra.

An event is a bell: a bell that rings twice does no harm, since every consumer does only what is not
done yet, and several bells rung while a consumer was busy make one run with all their windows.
Airflow 3.3 can lose a bell that is rung while its scheduler starts a run for an earlier one: run
the window again.

Partition keys would start one run per hour instead; docs/adr/0001 says why they are not used.
"""

from __future__ import annotations

from airflow.sdk import Asset

RAW_LOGS = Asset(name="waf_raw_logs", uri="x-bartizan://raw-logs")
WAF_REQUESTS = Asset(name="waf_requests", uri="x-bartizan://lake/waf/requests")
WAF_AGGREGATES = Asset(name="waf_aggregates", uri="x-bartizan://lake/agg")
INCIDENTS = Asset(name="incidents", uri="x-bartizan://store/incidents")


def metrics_asset(connector: str) -> Asset:
    """The live metric files of one connector."""
    return Asset(name=f"metrics_{connector}", uri=f"x-bartizan://metrics/{connector}")
