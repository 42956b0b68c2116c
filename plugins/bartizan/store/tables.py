"""Tables of the store. Times are ISO-8601 UTC text ending in Z: readable, and they sort by time."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

SCHEMA_VERSION = 1

metadata = MetaData()

schema_version = Table(
    "schema_version",
    metadata,
    Column("one", Integer, primary_key=True),
    Column("version", Integer, nullable=False),
)

# --- landing ---------------------------------------------------------------------------------

landing_batches = Table(
    "landing_batches",
    metadata,
    Column("batch_id", String(64), primary_key=True),
    Column("state", String(16), nullable=False),  # planned, staged, valid, rejected, published
    Column("reason", Text, nullable=False, default=""),
    Column("objects", Integer, nullable=False),
    Column("records", Integer, nullable=False, default=0),
    Column("requests", Integer, nullable=False, default=0),
    Column("rule_hits", Integer, nullable=False, default=0),
    Column("duplicates", Integer, nullable=False, default=0),
    Column("quarantined", Integer, nullable=False, default=0),
)

landing_objects = Table(
    "landing_objects",
    metadata,
    Column("uri", String(2048), primary_key=True),
    Column("version", String(128), nullable=False),  # etag, or size and modification time
    Column("bytes", BigInteger, nullable=False),
    Column("batch_id", ForeignKey(landing_batches.c.batch_id), nullable=False, index=True),
    Column("records", Integer, nullable=False, default=0),
    Column("requests", Integer, nullable=False, default=0),
    Column("duplicates", Integer, nullable=False, default=0),
    Column("quarantined", Integer, nullable=False, default=0),
)

changed_objects = Table(  # found under another version than the one in landing_objects
    "changed_objects",
    metadata,
    Column("uri", String(2048), primary_key=True),
    Column("version", String(128), primary_key=True),
    Column("bytes", BigInteger, nullable=False),
    Column("landed", String(128), nullable=False),  # the version that was read
    Column("batch_id", ForeignKey(landing_batches.c.batch_id), nullable=False, index=True),
)

changed_hours = Table(
    "changed_hours",
    metadata,
    Column("sequence", Integer, primary_key=True, autoincrement=True),
    Column("hour", String(20), nullable=False, index=True),
    Column("batch_id", String(64), nullable=False),
    UniqueConstraint("hour", "batch_id"),
)

closed_hours = Table(  # received requests too late to be announced to those downstream
    "closed_hours",
    metadata,
    Column("hour", String(20), primary_key=True),
    Column("batch_id", String(64), primary_key=True),
    Column("requests", Integer, nullable=False),
)

validation_results = Table(
    "validation_results",
    metadata,
    Column("batch_id", String(64), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("expectation", String(128), nullable=False),
    Column("subject", String(256), nullable=False),  # column, or table
    Column("level", String(4), nullable=False),  # fail or warn
    Column("passed", Boolean, nullable=False),
    Column("observed", Text, nullable=False),
)

schema_drift = Table(
    "schema_drift",
    metadata,
    Column("batch_id", String(64), primary_key=True),
    Column("path", String(200), primary_key=True),
    Column("kind", String(32), primary_key=True),  # unknown field, value of another type
    Column("json_type", String(8), nullable=False),
    Column("records", Integer, nullable=False),
    Column("first_hour", String(20), nullable=False),
)

reconciliation = Table(
    "reconciliation",
    metadata,
    Column("webacl_id", String(512), primary_key=True),
    Column("hour", String(20), primary_key=True),
    Column("in_log", Integer, nullable=False),
    Column("in_counters", Integer, nullable=False),
    Column("verdict", String(32), nullable=False),
    Column("logged", JSON, nullable=False),  # requests by action
    Column("counted", JSON, nullable=False),
    Column("metric_name", String(512), nullable=False),
    Column("named_by", String(64), nullable=False),
)

# --- aggregates ------------------------------------------------------------------------------

built_hours = Table(
    "built_hours",
    metadata,
    Column("table_name", String(128), primary_key=True),
    Column("hour", String(20), primary_key=True),
    Column("sequence", Integer, nullable=False),  # of the last change that is built in
)

aggregate_checks = Table(
    "aggregate_checks",
    metadata,
    Column("table_name", String(128), primary_key=True),
    Column("window_start", String(20), primary_key=True),
    Column("window_end", String(20), primary_key=True),
    Column("name", String(128), primary_key=True),
    Column("level", String(4), nullable=False),
    Column("bad_rows", Integer, nullable=False),
)

# --- detectors and incidents -----------------------------------------------------------------

detectors = Table(
    "detectors",
    metadata,
    Column("name", String(63), primary_key=True),
    Column("state", String(16), nullable=False),  # a DetectorStatus
    Column("reason", Text, nullable=False, default=""),
    Column("learned_start", String(20)),
    Column("learned_end", String(20)),
    Column("scored_through", String(20)),
    Column("series", Integer, nullable=False, default=0),
    Column("series_ready", Integer, nullable=False, default=0),
)

incidents = Table(
    "incidents",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("detector", String(63), nullable=False, index=True),
    Column("measure", String(63), nullable=False),
    Column("start", String(20), nullable=False, index=True),
    Column("end", String(20), nullable=False),
    Column("severity", Float, nullable=False),
    Column("direction", String(8), nullable=False),
    Column("state", String(16), nullable=False),
    Column("change", Integer, nullable=False),  # 1 when opened, one more at each change
    Column("body", JSON, nullable=False),  # the incident without its explanation
    Column("explanation", JSON(none_as_null=True)),  # NULL until explained
)

feedback = Table(
    "feedback",
    metadata,
    Column("incident_id", String(36), primary_key=True),
    Column("number", Integer, primary_key=True),  # 1 for the first word on an incident
    Column("detector", String(63), nullable=False, index=True),
    Column("measure", String(63), nullable=False),
    Column("direction", String(8), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("cause", String(16)),
    Column("note", Text, nullable=False),
    Column("given_by", Text, nullable=False),
    Column("at", String(20), nullable=False),
    Column("since", String(20), nullable=False),  # from this interval on it has an effect
    Column("begins", String(20), nullable=False),  # start of the incident
    Column("ratio", Float, nullable=False),  # what of it is excused, see detect/feedback.py
    Column("change", Float, nullable=False),
    Column("combinations", JSON, nullable=False),  # dimension values of what is alike
)

handling = Table(  # acknowledgements and snoozes
    "handling",
    metadata,
    Column("incident_id", String(36), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("kind", String(16), nullable=False),  # a HandlingKind
    Column("given_by", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("at", String(20), nullable=False),
    Column("until", String(20), nullable=False),  # of a snooze, else empty
    Column("stand", JSON, nullable=False),  # how the incident stood then
)

hub_words = Table(  # what was set in Security Hub, as it was taken over last
    "hub_words",
    metadata,
    Column("incident_id", String(36), primary_key=True),
    Column("channel", String(32), primary_key=True),
    Column("status", String(16), nullable=False),  # a WorkflowStatus
    Column("note", Text, nullable=False),
    Column("author", Text, nullable=False),
)

stories = Table(  # which story an incident was joined to: once, for good
    "stories",
    metadata,
    Column("incident_id", String(36), primary_key=True),
    Column("story_id", String(36), nullable=False, index=True),
    Column("history", Boolean, nullable=False),  # found long after it ended
)

deploys = Table(  # that people told of
    "deploys",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("at", String(20), nullable=False, index=True),
    Column("what", Text, nullable=False),
    Column("detector", String(63), nullable=False),  # empty: all
    Column("webacl", Text, nullable=False),  # empty: all
    Column("given_by", Text, nullable=False),
)

# --- dispatch --------------------------------------------------------------------------------

incident_changes = Table(  # written with the change; routed once it is decided who hears of it
    "incident_changes",
    metadata,
    Column("sequence", Integer, primary_key=True, autoincrement=True),
    Column("incident_id", String(36), nullable=False),
    Column("change", Integer, nullable=False),
    Column("routed", Boolean, nullable=False, index=True),
    Column("seen_at", String(20), nullable=False, server_default=""),  # by the first dispatch
    Column("state", String(16), nullable=False, server_default=""),  # of the incident, by then
    UniqueConstraint("incident_id", "change"),
)

digests = Table(  # their messages stand in the outbox, as of an incident of this id
    "digests",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("start", String(20), nullable=False),
    Column("end", String(20), nullable=False),
)

confirmations = Table(  # their messages stand in the outbox, as of an incident of this id
    "confirmations",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("incident_id", String(36), nullable=False),
    Column("number", Integer, nullable=False),  # of what was done about the incident
)

outbox = Table(
    "outbox",
    metadata,
    Column("incident_id", String(36), primary_key=True),
    Column("change", Integer, primary_key=True),
    Column("channel", String(32), primary_key=True),
    Column("state", String(16), nullable=False, index=True),  # a DeliveryState
    Column("attempts", Integer, nullable=False, default=0),  # since it was intended, or retried
    Column("payload_id", String(512), nullable=False),
    Column("receipt", Text, nullable=False, default=""),  # of what was delivered
    Column("reason", Text, nullable=False, server_default=""),  # of any other state
    Column("next_try", String(20), nullable=False, server_default=""),
    Column("leased_by", String(36), nullable=False, server_default=""),
    Column("leased_until", String(20), nullable=False, server_default=""),
    Column("stand", JSON(none_as_null=True)),  # how the incident stood, unless skipped
)

outbox_attempts = Table(
    "outbox_attempts",
    metadata,
    Column("incident_id", String(36), primary_key=True),
    Column("change", Integer, primary_key=True),
    Column("channel", String(32), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("at", String(20), nullable=False),
    Column("result", String(16), nullable=False),  # a Result
    Column("detail", Text, nullable=False, default=""),
)

# --- answering back --------------------------------------------------------------------------

intel_targets = Table(  # as last configured: entries expire without the configuration too
    "intel_targets",
    metadata,
    Column("name", String(63), primary_key=True),
    Column("body", JSON, nullable=False),
)

intel_plans = Table(
    "intel_plans",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("at", String(20), nullable=False, index=True),
    Column("body", JSON, nullable=False),
)

intel_entries = Table(  # what we put into an IP set; nothing else is ever removed from it
    "intel_entries",
    metadata,
    Column("target", String(63), primary_key=True),
    Column("network", String(64), primary_key=True),
    Column("added_at", String(20), nullable=False),
    Column("expires_at", String(20), nullable=False, index=True),
    Column("times", Integer, nullable=False),
    Column("score", Float, nullable=False),
    Column("listed", Boolean, nullable=False),  # False once it was taken out
    Column("change_id", String(36), nullable=False),  # of the change that wrote this row
)

intel_changes = Table(  # of IP sets: intended before the call, done after it
    "intel_changes",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("kind", String(8), nullable=False),  # apply, expire, undo
    Column("target", String(63), nullable=False, index=True),
    Column("subject", String(36), nullable=False),  # the plan, or the change that is undone
    Column("at", String(20), nullable=False, index=True),
    Column("given_by", Text, nullable=False),
    Column("state", String(16), nullable=False, index=True),  # a ChangeState
    Column("added", JSON, nullable=False),
    Column("removed", JSON, nullable=False),
    Column("left_out", JSON, nullable=False),  # why, by network
    Column("before", JSON, nullable=False),  # addresses of the set
    Column("after", JSON, nullable=False),
    Column("rows", JSON, nullable=False),  # of intel_entries, as it leaves them
    Column("former", JSON, nullable=False),  # the same, as it found them
    Column("receipt", Text, nullable=False),
)

intel_switch = Table(
    "intel_switch",
    metadata,
    Column("one", Integer, primary_key=True),
    Column("stopped", Boolean, nullable=False),
)

intel_audit = Table(  # who did what and when; only grows
    "intel_audit",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("at", String(20), nullable=False),
    Column("given_by", Text, nullable=False),
    Column("what", String(16), nullable=False),
    Column("subject", String(128), nullable=False),
    Column("detail", Text, nullable=False),
)

intel_evidence = Table(  # why a network is, or could be, in an IP set: ours, and what others say
    "intel_evidence",
    metadata,
    Column("network", String(64), primary_key=True),
    Column("origin", String(12), primary_key=True),  # empty: our own logs; else the account
    Column("at", String(20), nullable=False),
    Column("until", String(20), nullable=False, index=True),  # empty: no end; else the sender's
    Column("score", Float, nullable=False),
    Column("body", JSON, nullable=False),
)

intel_received = Table(  # events that were taken in: none counts twice
    "intel_received",
    metadata,
    Column("account", String(12), primary_key=True),
    Column("event_id", String(36), primary_key=True),
    Column("at", String(20), nullable=False),
    Column("entries", Integer, nullable=False),
)

intel_rejected = Table(  # events that were not, with the reason
    "intel_rejected",
    metadata,
    Column("id", String(36), primary_key=True),  # digest of the whole text
    Column("at", String(20), nullable=False, index=True),
    Column("fault", String(16), nullable=False),
    Column("why", Text, nullable=False),
    Column("size", Integer, nullable=False),  # bytes
    Column("raw", Text, nullable=False),  # its beginning, with what cannot be seen written out
    Column("times", Integer, nullable=False),
)

intel_sent = Table(  # what each bus was told last
    "intel_sent",
    metadata,
    Column("bus", String(512), primary_key=True),
    Column("network", String(64), primary_key=True),
    Column("expires_at", String(20), nullable=False),
    Column("event_id", String(36), nullable=False),
    Column("at", String(20), nullable=False),
)

intel_seen = Table(  # what each IP set held when we looked or wrote last
    "intel_seen",
    metadata,
    Column("target", String(63), primary_key=True),
    Column("at", String(20), nullable=False),
    Column("networks", JSON, nullable=False),
)

intel_drift = Table(  # what others changed in IP sets, when we noticed
    "intel_drift",
    metadata,
    Column("target", String(63), primary_key=True),
    Column("at", String(20), primary_key=True),
    Column("added", JSON, nullable=False),
    Column("gone", JSON, nullable=False),
)

intel_withdrawn = Table(  # what other accounts took back: older words of theirs do not come again
    "intel_withdrawn",
    metadata,
    Column("account", String(12), primary_key=True),
    Column("network", String(64), primary_key=True),
    Column("at", String(20), nullable=False),
    Column("until", String(20), nullable=False, index=True),  # as long as older words may come
)

# --- dashboard -------------------------------------------------------------------------------

audit = Table(  # what people changed in it
    "audit",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("at", String(20), nullable=False),
    Column("given_by", Text, nullable=False),
    Column("action", String(32), nullable=False),
    Column("subject", String(128), nullable=False, index=True),
    Column("before", JSON(none_as_null=True)),
    Column("after", JSON(none_as_null=True)),
    Column("outcome", Text, nullable=False),
)
