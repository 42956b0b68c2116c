"""Every job of the house: one call each for the DAGs and for the command, on the same settings.

DAG files import this package whenever they are parsed, so rooms are imported when they are used.
Results are plain values that fit into JSON.
"""

from bartizan.jobs.connectors import (
    check_connector,
    import_connector,
    list_connectors,
    new_connector,
)
from bartizan.jobs.here import open_engine, open_lake, open_store, settings
from bartizan.jobs.incidents import detect, dispatch, explain, learn, report, status
from bartizan.jobs.landing import (
    confirm_published,
    land,
    plan_landing,
    publish_batches,
    stage_batch,
    validate_batches,
    validation_page,
)
from bartizan.jobs.metrics import (
    Feed,
    aggregate,
    backfill,
    connector_names,
    crawl,
    feed_of,
    load_connector,
    load_connectors,
)
from bartizan.jobs.reconciling import reconcile, reconcile_enabled, reconcile_windows
from bartizan.jobs.simulating import (
    plan_simulation,
    simulate,
    simulate_day,
    simulation_plan,
    write_labels,
)
from bartizan.jobs.upkeep import compact_lake, expire_lake, lake_ddl, sweep_lake

__all__ = [
    "Feed",
    "aggregate",
    "backfill",
    "check_connector",
    "compact_lake",
    "confirm_published",
    "connector_names",
    "crawl",
    "detect",
    "dispatch",
    "expire_lake",
    "explain",
    "feed_of",
    "import_connector",
    "lake_ddl",
    "land",
    "learn",
    "list_connectors",
    "load_connector",
    "load_connectors",
    "new_connector",
    "open_engine",
    "open_lake",
    "open_store",
    "plan_landing",
    "plan_simulation",
    "publish_batches",
    "reconcile",
    "reconcile_enabled",
    "reconcile_windows",
    "report",
    "settings",
    "simulate",
    "simulate_day",
    "simulation_plan",
    "stage_batch",
    "status",
    "sweep_lake",
    "validate_batches",
    "validation_page",
    "write_labels",
]
