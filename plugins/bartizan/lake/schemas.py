"""Columns of the tables that landing writes: the AWS WAF log record, flat where it is queried.

Names are the log's own in snake case. Times are naive UTC. `event_ms` is the request's own time as
logged; `event_date` and `event_hour` are derived from it and partition every table.
"""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

_TEXTS = pa.list_(pa.string())

_MATCH_DETAILS = pa.list_(
    pa.struct(
        {
            "condition_type": pa.string(),
            "sensitivity_level": pa.string(),
            "location": pa.string(),
            "matched_data": _TEXTS,
            "matched_field_name": pa.string(),
        }
    )
)

_RESPONSE = pa.struct(
    {
        "response_code": pa.int32(),
        "solve_timestamp": pa.int64(),
        "failure_reason": pa.string(),
    }
)

_MATCHED_RULE = pa.struct(
    {
        "rule_id": pa.string(),
        "action": pa.string(),
        "overridden_action": pa.string(),
        "rule_match_details": _MATCH_DETAILS,
        "captcha_response": _RESPONSE,
        "challenge_response": _RESPONSE,
    }
)

_NAME_VALUE = pa.list_(pa.struct({"name": pa.string(), "value": pa.string()}))

_RULE_GROUPS = pa.list_(
    pa.struct(
        {
            "rule_group_id": pa.string(),
            "terminating_rule": _MATCHED_RULE,
            "non_terminating_matching_rules": pa.list_(_MATCHED_RULE),
            "excluded_rules": pa.list_(
                pa.struct(
                    {
                        "exclusion_type": pa.string(),
                        "rule_id": pa.string(),
                        "rule_match_details": _MATCH_DETAILS,
                    }
                )
            ),
            "customer_config": pa.string(),
            "rule_action_overrides": pa.string(),
        }
    )
)

_RATE_BASED_RULES = pa.list_(
    pa.struct(
        {
            "rate_based_rule_id": pa.string(),
            "rate_based_rule_name": pa.string(),
            "limit_key": pa.string(),
            "limit_value": pa.string(),
            "max_rate_allowed": pa.int64(),
            "evaluation_window_sec": pa.int64(),
            "custom_values": pa.list_(
                pa.struct({"key": pa.string(), "name": pa.string(), "value": pa.string()})
            ),
        }
    )
)

_WHEN_AND_WHERE = [
    ("event_time", pa.timestamp("us")),
    ("event_ms", pa.int64()),
    ("event_date", pa.date32()),
    ("event_hour", pa.int32()),
    ("account_id", pa.string()),
    ("region", pa.string()),  # "cloudfront" for the global scope
    ("webacl", pa.string()),  # its name; the GUID for AWS WAF Classic
]

REQUESTS = pa.schema(
    [
        *_WHEN_AND_WHERE,
        ("webacl_id", pa.string()),
        ("format_version", pa.int32()),
        ("action", pa.string()),
        ("terminating_rule_id", pa.string()),
        ("terminating_rule_type", pa.string()),
        ("terminating_rule_match_details", _MATCH_DETAILS),
        ("source_name", pa.string()),
        ("source_id", pa.string()),
        ("rule_groups", _RULE_GROUPS),
        ("rate_based_rules", _RATE_BASED_RULES),
        ("non_terminating_matching_rules", pa.list_(_MATCHED_RULE)),
        ("request_headers_inserted", _NAME_VALUE),
        ("response_code_sent", pa.int32()),
        ("client_ip", pa.string()),
        ("country", pa.string()),
        ("headers", _NAME_VALUE),
        ("uri", pa.string()),
        ("args", pa.string()),
        ("fragment", pa.string()),
        ("http_version", pa.string()),
        ("method", pa.string()),
        ("request_id", pa.string()),
        ("scheme", pa.string()),
        ("host", pa.string()),
        ("user_agent", pa.string()),
        ("labels", _TEXTS),
        ("captcha_response", _RESPONSE),
        ("challenge_response", _RESPONSE),
        ("ja3_fingerprint", pa.string()),
        ("ja4_fingerprint", pa.string()),
        ("client_asn", pa.int64()),
        ("forwarded_asn", pa.int64()),
        ("cf_distribution_tenant_id", pa.string()),
        ("oversize_fields", _TEXTS),
        ("request_body_size", pa.int64()),
        ("request_body_size_inspected", pa.int64()),
        ("extra", pa.map_(pa.string(), pa.string())),  # unknown fields: dotted path -> JSON text
        ("record_hash", pa.int64()),  # of the whole record; with time, ACL, client: the dedupe key
        ("source_object", pa.string()),
        ("source_offset", pa.int64()),  # byte offset in the decompressed object
        ("batch_id", pa.string()),
    ]
)

RULE_HITS = pa.schema(
    [
        *_WHEN_AND_WHERE,
        ("request_action", pa.string()),
        ("client_ip", pa.string()),
        ("country", pa.string()),
        ("host", pa.string()),
        ("uri", pa.string()),
        ("rule_group", pa.string()),  # NULL for a rule of the web ACL itself
        ("rule", pa.string()),
        ("rule_action", pa.string()),  # BLOCK, ALLOW, COUNT, CAPTCHA, CHALLENGE, EXCLUDED_AS_COUNT
        ("overridden_action", pa.string()),
        ("terminating", pa.bool_()),
        ("record_hash", pa.int64()),
        ("batch_id", pa.string()),
    ]
)

QUARANTINE = pa.schema(
    [
        ("source_object", pa.string()),
        ("source_offset", pa.int64()),
        ("length", pa.int64()),
        ("reason", pa.string()),
        ("raw", pa.string()),  # the first 4,096 characters, unseen ones written out
        ("batch_id", pa.string()),
    ]
)


@dataclass(frozen=True)
class TableSpec:
    """Name, columns and identity partition columns of one lake table."""

    name: str
    schema: pa.Schema
    partition: tuple[str, ...] = ()


LANDED = {
    spec.name: spec
    for spec in (
        TableSpec("waf.requests", REQUESTS, ("event_date", "event_hour")),
        TableSpec("waf.rule_hits", RULE_HITS, ("event_date", "event_hour")),
        TableSpec("waf.quarantine", QUARANTINE),
    )
}
