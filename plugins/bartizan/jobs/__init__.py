"""Every job of the house: one call each for the DAGs and for the command, on the same settings.

DAG files import this package whenever they are parsed, so rooms are imported when they are used.
Results are plain values that fit into JSON.
"""

from bartizan.jobs.alert_rules import (
    alert_channels,
    list_rules,
    preview_rule,
    save_rule,
    try_alerts,
)
from bartizan.jobs.backtesting import backtest
from bartizan.jobs.beginning import preview_detector
from bartizan.jobs.connectors import (
    calendar_entries,
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
from bartizan.jobs.here import open_engine, open_lake, open_store, require_home, settings
from bartizan.jobs.hub_words import read_hub
from bartizan.jobs.incidents import (
    detect,
    dispatch,
    explain,
    list_outbox,
    preview_dispatch,
    report,
    retry_outbox,
    set_active,
    status,
)
from bartizan.jobs.intel import (
    apply_intel,
    expire_intel,
    find_candidates,
    intel_automatic,
    intel_enabled,
    intel_stopped,
    lookback,
    plan_intel,
    undo_intel,
)
from bartizan.jobs.intel_sharing import (
    export_intel,
    heard_intel,
    receive_intel,
    send_intel,
    sharing_parts,
)
from bartizan.jobs.intel_standing import intel_status, reject_intel, switch_intel
from bartizan.jobs.landing import (
    confirm_published,
    land,
    plan_landing,
    publish_batches,
    stage_batch,
    validate_batches,
    validation_page,
)
from bartizan.jobs.learning import (
    join_shares,
    learn,
    learn_share,
    learns_in_shares,
    plan_learning,
    planned_shares,
)
from bartizan.jobs.marks import list_deploys, mark_deploy, remove_deploy
from bartizan.jobs.metrics import (
    Feed,
    aggregate,
    backfill,
    connector_names,
    crawl,
    feed_of,
    load_connector,
    load_connectors,
    not_to_come,
)
from bartizan.jobs.mirroring import mirror_enabled, mirror_lake, sweep_mirror
from bartizan.jobs.playbooks import check_playbooks, list_playbooks
from bartizan.jobs.reconciling import reconcile, reconcile_enabled, reconcile_windows
from bartizan.jobs.shortened import change_id, incident_id, plan_id
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
    "alert_channels",
    "apply_intel",
    "backfill",
    "backtest",
    "calendar_entries",
    "change_id",
    "check_connector",
    "check_playbooks",
    "compact_lake",
    "confirm_published",
    "connector_names",
    "crawl",
    "detect",
    "detect_alone",
    "dispatch",
    "expire_intel",
    "expire_lake",
    "explain",
    "export_intel",
    "feed_of",
    "find_candidates",
    "give_feedback",
    "heard_intel",
    "import_connector",
    "incident_id",
    "intel_automatic",
    "intel_enabled",
    "intel_status",
    "intel_stopped",
    "join_shares",
    "lake_ddl",
    "land",
    "learn",
    "learn_share",
    "learns_in_shares",
    "list_connectors",
    "list_deploys",
    "list_feedback",
    "list_incidents",
    "list_outbox",
    "list_playbooks",
    "list_rules",
    "load_connector",
    "load_connectors",
    "lookback",
    "mark_deploy",
    "mirror_enabled",
    "mirror_lake",
    "new_connector",
    "not_to_come",
    "open_engine",
    "open_lake",
    "open_store",
    "plan_id",
    "plan_intel",
    "plan_landing",
    "plan_learning",
    "plan_simulation",
    "planned_shares",
    "preview_detector",
    "preview_dispatch",
    "preview_rule",
    "publish_batches",
    "publish_zeros",
    "read_hub",
    "receive_intel",
    "reconcile",
    "reconcile_enabled",
    "reconcile_windows",
    "reject_intel",
    "remove_deploy",
    "report",
    "require_home",
    "resume_incident",
    "retry_outbox",
    "save_rule",
    "send_intel",
    "set_active",
    "settings",
    "sharing_parts",
    "show_incident",
    "simulate",
    "simulate_day",
    "simulation_plan",
    "snooze_incident",
    "stage_batch",
    "status",
    "sweep_lake",
    "sweep_mirror",
    "switch_intel",
    "try_alerts",
    "tune",
    "undo_intel",
    "validate_batches",
    "validation_page",
    "write_digest",
    "write_labels",
]
