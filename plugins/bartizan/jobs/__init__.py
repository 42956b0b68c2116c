"""Every job of the house: one call each for the DAGs and for the command, on the same settings.

DAG files import this package whenever they are parsed, so rooms are imported when they are used.
Results are plain values that fit into JSON.
"""

from bartizan.jobs.backtesting import backtest
from bartizan.jobs.connectors import (
    check_connector,
    import_connector,
    list_connectors,
    new_connector,
    publish_zeros,
)
from bartizan.jobs.digests import write_digest
from bartizan.jobs.feedback import give_feedback, list_feedback
from bartizan.jobs.handling import (
    acknowledge_incident,
    list_incidents,
    resume_incident,
    show_incident,
    snooze_incident,
)
from bartizan.jobs.here import open_engine, open_lake, open_store, settings
from bartizan.jobs.incidents import (
    detect,
    dispatch,
    explain,
    learn,
    list_outbox,
    preview_dispatch,
    report,
    retry_outbox,
    set_active,
    status,
)
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
from bartizan.jobs.mirroring import mirror_enabled, mirror_lake, sweep_mirror
from bartizan.jobs.playbooks import check_playbooks, list_playbooks
from bartizan.jobs.reconciling import reconcile, reconcile_enabled, reconcile_windows
from bartizan.jobs.simulating import (
    plan_simulation,
    simulate,
    simulate_day,
    simulation_plan,
    write_labels,
)
from bartizan.jobs.standalone import detect_alone
from bartizan.jobs.tuning import Knobs, tune
from bartizan.jobs.upkeep import compact_lake, expire_lake, lake_ddl, sweep_lake

__all__ = [
    "Feed",
    "Knobs",
    "acknowledge_incident",
    "aggregate",
    "backfill",
    "backtest",
    "check_connector",
    "check_playbooks",
    "compact_lake",
    "confirm_published",
    "connector_names",
    "crawl",
    "detect",
    "detect_alone",
    "dispatch",
    "expire_lake",
    "explain",
    "feed_of",
    "give_feedback",
    "import_connector",
    "lake_ddl",
    "land",
    "learn",
    "list_connectors",
    "list_feedback",
    "list_incidents",
    "list_outbox",
    "list_playbooks",
    "load_connector",
    "load_connectors",
    "mirror_enabled",
    "mirror_lake",
    "new_connector",
    "open_engine",
    "open_lake",
    "open_store",
    "plan_landing",
    "plan_simulation",
    "preview_dispatch",
    "publish_batches",
    "publish_zeros",
    "reconcile",
    "reconcile_enabled",
    "reconcile_windows",
    "report",
    "resume_incident",
    "retry_outbox",
    "set_active",
    "settings",
    "show_incident",
    "simulate",
    "simulate_day",
    "simulation_plan",
    "snooze_incident",
    "stage_batch",
    "status",
    "sweep_lake",
    "sweep_mirror",
    "tune",
    "validate_batches",
    "validation_page",
    "write_digest",
    "write_labels",
]
