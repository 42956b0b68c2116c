"""Every check of every aggregate passes on good rows and finds the rows it is there for."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from lakes import SmallLake, landed

from bartizan.aggregate import load_tables
from bartizan.aggregate.checks import run_checks
from bartizan.config import PROJECT
from bartizan.engines import EngineName
from bartizan.model.window import DAY, Window

START = datetime(2026, 11, 1, tzinfo=UTC)
TABLES = load_tables(PROJECT / "include" / "sql")

TWICE = "select * from r union all select * from r"
MANY = "select r.* from r cross join range(10001)"
TWO_OTHERS = f"select * replace (true as is_other) from ({TWICE})"


def having(column: str, value: str) -> str:
    return f"select * replace ({value} as {column}) from r"


def counted(check: str, column: str) -> dict[str, list[str]]:
    """What spoils a check that compares the sum of `column` with the source."""
    return {check: [having(column, f"{column} + 1"), "select * from r limit 0"]}


REQUESTS = counted("every_request_is_counted_once", "requests")
DISTINCT = {"distinct_is_at_most_total": [having("unique_ips", "requests + 1")]}
SPOILT: dict[str, dict[str, list[str]]] = {
    "agg_action_1m": {**REQUESTS, "action_is_known": [having("action", "'COUNT'")]},
    "ops_landing_5m": {
        **REQUESTS,
        "parts_are_possible": [
            having("objects", "requests + 1"),
            having("batches", "objects + 1"),
            having("minutes", "6"),
            having("first_event", "bucket - interval 1 second"),
            having("last_event", "first_event - interval 1 second"),
        ],
        "objects_are_known": [having("objects", "0")],
    },
    "agg_action_5m": {
        **REQUESTS,
        **DISTINCT,
        "action_is_known": [having("action", "'COUNT'")],
    },
    "agg_country_1h": {
        **REQUESTS,
        **DISTINCT,
        "parts_are_at_most_requests": [having("blocked", "requests + 1")],
        "most_countries_are_known": [having("country", "'-'")],
    },
    "agg_rule_5m": {
        **counted("every_hit_is_counted_once", "hits"),
        "distinct_is_at_most_total": [having("unique_ips", "hits + 1")],
        "rule_has_a_name": [having("rule", "'-'")],
    },
    "agg_ip_5m": {
        **REQUESTS,
        "at_most_50_addresses": [MANY, TWO_OTHERS],
        "one_address_unless_other": [having("unique_ips", "2")],
        "parts_are_at_most_requests": [
            having("challenged", "requests + 1"),
            having("rate_blocked", "blocked + 1"),
            having("peak_per_minute", "requests + 1"),
            having("unique_uris", "requests + 1"),
        ],
        "seen_in_its_bucket": [
            having("first_seen", "bucket - interval 1 second"),
            having("last_seen", "first_seen - interval 1 second"),
            having("last_seen", "bucket + interval 5 minute"),
        ],
        "address_is_known": [having("client_ip", "'-'")],
    },
    "agg_uri_5m": {
        **REQUESTS,
        "at_most_50_paths": [MANY, TWO_OTHERS],
        "parts_are_at_most_requests": [
            having("blocked", "requests + 1"),
            having("unique_uris", "requests + 1"),
            having("unique_ips", "requests + 1"),
        ],
        "path_is_known": [having("uri_template", "'-'")],
    },
    "agg_label_5m": {
        **counted("every_label_is_counted_once", "requests"),
        **DISTINCT,
        "token_ids_are_left_out": [
            having("label", "'awswaf:managed:token:id:0f'"),
            having("label", "'awswaf:managed:token:fingerprint:0f'"),
        ],
        "label_has_a_name": [having("label", "'-'")],
    },
    "agg_fingerprint_5m": {
        **counted("every_fingerprint_is_counted_once", "requests"),
        "at_most_50_fingerprints": [MANY, TWO_OTHERS],
        "parts_are_at_most_requests": [
            having("allowed", "requests + 1"),
            having("unique_ips", "requests + 1"),
            having("unique_user_agents", "requests + 1"),
        ],
        "fingerprint_has_its_length": [having("fingerprint", "'t13d'")],
    },
    "agg_token_5m": {
        "no_final_action_is_missing": [
            "select * from r where outcome = 'SOLVED'",
            having("outcome", "'SOLVED'"),
        ],
        **DISTINCT,
        "mechanism_is_known": [having("mechanism", "'TOTP'")],
        "outcome_is_known": [having("outcome", "'-'")],
    },
    "agg_rate_rule_5m": {
        **counted("every_evaluation_is_counted_once", "evaluated"),
        "at_most_20_keys": [MANY, TWO_OTHERS],
        "triggered_is_at_most_evaluated": [having("triggered", "evaluated + 1")],
        "rule_has_a_name": [having("rule", "'-'")],
    },
    "agg_token_reuse_1d": {
        "token_is_shared": [having("unique_ips", "2")],
        "distinct_is_at_most_total": [
            having("unique_ips", "requests + 1"),
            having("unique_countries", "unique_ips + 1"),
        ],
        "label_is_a_token": [having("token_label", "'awswaf:managed:token:accepted'")],
    },
    "agg_oversize_1h": {
        **counted("every_oversize_request_is_counted_once", "requests"),
        "at_most_50_paths": [MANY, TWO_OTHERS],
        "bytes_are_not_negative": [having("uninspected_bytes", "-1")],
        "less_than_a_gigabyte_uninspected": [having("uninspected_bytes", "1000000000")],
    },
    "agg_ip_1d": {
        **REQUESTS,
        "at_most_10000_addresses": [MANY, TWO_OTHERS],
        "one_address_unless_other": [having("unique_ips", "2")],
        "parts_are_at_most_requests": [
            having("allowed", "requests + 1"),
            having("blocking_rules", "blocked + 1"),
        ],
        "seen_on_its_day": [
            having("first_seen", "bucket - interval 1 second"),
            having("last_seen", "first_seen - interval 1 second"),
            having("last_seen", "bucket + interval 1 day"),
        ],
        "address_is_known": [having("client_ip", "'-'")],
    },
}

REQUEST = {
    "event_time": START,
    "country": "DE",
    "host": "shop.example.com",
    "uri": "/login",
    "method": "POST",
    "ja4_fingerprint": "t13d1516h2_8daaf6152771_02713d6af862",
    "labels": ["awswaf:managed:token:accepted", "awswaf:managed:token:id:0f"],
    "oversize_fields": ["REQUEST_BODY"],
    "rate_based_rules": [{"rate_based_rule_name": "limit", "limit_key": "IP"}],
    "source_object": "file:///raw/a",
    "batch_id": "one",
}
FAILED = {"response_code": 405, "failure_reason": "TOKEN_MISSING"}
ROWS = [
    {**REQUEST, "client_ip": "192.0.2.1", "captcha_response": {"response_code": 0}},
    {**REQUEST, "client_ip": "192.0.2.2", "action": "BLOCK", "record_hash": 2},
    {**REQUEST, "client_ip": "192.0.2.3", "action": "CAPTCHA", "captcha_response": FAILED},
]
HITS = [
    {
        "event_time": START,
        "record_hash": 2,
        "rule": "limit",
        "rule_action": "BLOCK",
        "terminating": True,
    }
]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> SmallLake:
    small = SmallLake.open(Path(tmp_path_factory.mktemp("checks")))
    small.land("a", requests=landed("requests", ROWS), rule_hits=landed("rule_hits", HITS))
    return small


@pytest.mark.parametrize("name", sorted(TABLES))
def test_every_check_finds_the_rows_it_is_there_for(small: SmallLake, name: str) -> None:
    table, window = TABLES[name], Window(START, START + DAY)
    spoilt = {"one_row_per_grain": [TWICE], **SPOILT[name]}
    good = small.engine.query(table.query(EngineName.DUCKDB).text, window)

    assert good.num_rows > 0
    checks = table.checks[EngineName.DUCKDB]
    passed = {f.name: f.bad_rows for f in run_checks(small.engine, checks, good, window)}
    assert passed == dict.fromkeys(spoilt, 0)
    for check in checks:
        for query in spoilt[check.name]:
            bad = small.engine.query(query, window, given={"r": good})
            assert run_checks(small.engine, [check], bad, window)[0].bad_rows > 0, (check, query)
