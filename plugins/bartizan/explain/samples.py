"""Example requests behind an incident, for a person to look at."""

from __future__ import annotations

import re

from bartizan.engines.duckdb import DuckDBEngine
from bartizan.engines.sql import text_literal
from bartizan.model.anomaly import Incident
from bartizan.model.connector import Connector
from bartizan.model.uri import ID

# The columns of the lake that a dimension of this name means. No headers, so no credentials.
_REQUEST_COLUMNS = {
    name: f"r.{name}"
    for name in (
        *("account_id", "region", "webacl", "action", "client_ip", "country", "uri", "method"),
        *("scheme", "host", "user_agent", "http_version", "ja3_fingerprint", "ja4_fingerprint"),
    )
} | {
    "terminating_rule": "r.terminating_rule_id",
    "uri_template": f"regexp_replace(r.uri, '{ID}', '/{{id}}', 'g')",
}
_HIT_COLUMNS = {"rule": "h.rule", "rule_group": "h.rule_group", "rule_action": "h.rule_action"}
_COLUMNS = _REQUEST_COLUMNS | _HIT_COLUMNS

# A measure that counts only requests with one outcome is best shown by such requests.
_ACTIONS = {"blocked": "BLOCK", "allowed": "ALLOW", "challenged": "CHALLENGE"}

# The default action is no rule and has no hit, yet metrics by rule name it.
_HITS = """
join (
    select event_ms, record_hash, rule, rule_group, rule_action
    from waf.rule_hits
    where event_time >= {{ start }} and event_time < {{ end }}
    union all
    select event_ms, record_hash, terminating_rule_id, null, action
    from waf.requests
    where event_time >= {{ start }} and event_time < {{ end }}
        and terminating_rule_id = 'Default_Action'
) as h on h.record_hash = r.record_hash and h.event_ms = r.event_ms"""

_QUERY = """
with matching as (
    select r.*, %(rule)s as rule
    from waf.requests r %(join)s
    where r.event_time >= {{ start }} and r.event_time < {{ end }} %(conditions)s
),
counted as (
    select *,
        count(*) over (partition by client_ip, uri) as alike,
        row_number() over (partition by client_ip, uri order by event_ms, record_hash, rule) as nth
    from matching
)
select
    strftime(event_time, '%%Y-%%m-%%dT%%H:%%M:%%SZ') as event_time,
    client_ip, country, method, host,
    left(uri, 2000) as uri, left(args, 2000) as args, left(user_agent, 2000) as user_agent,
    action, rule, webacl_id, cast(alike as varchar) as requests_alike
from counted
where nth = 1
order by alike desc, client_ip, uri
limit %(limit)d"""

_CUT = 200
_SECRET = re.compile(
    r"(?i)([^=&;?/]*(?:pass|pwd|token|secret|api_?key|auth|session|signature|jwt)[^=&;?/]*=)[^&;]*"
)


def samples(
    engine: DuckDBEngine, connector: Connector, incident: Incident, limit: int = 5
) -> tuple[dict[str, str], ...]:
    """Up to `limit` requests of the incident's window with the dimension values of its peak.

    One per client address and URI, the most frequent such pair first (`requests_alike` says how
    many there are), of each the earliest. Values are cut to 200 characters, secrets in query
    strings masked, NULL is an empty string. A connector without dimensions, or with one that is no
    column of the log, is about something else than requests and has no samples.
    """
    query = sample_query(connector, incident, limit)
    if query is None:
        return ()
    rows = engine.query(query, incident.window, f"samples of {connector.name}").to_pylist()
    return tuple({name: _masked(name, value) for name, value in row.items()} for row in rows)


def sample_query(connector: Connector, incident: Incident, limit: int = 5) -> str | None:
    """The query of `samples`, with placeholders for the window; None where it has none."""
    dimensions = incident.peak.dimensions
    if not dimensions or any(name not in _COLUMNS for name, _ in dimensions):
        return None
    by_rule = any(name in _HIT_COLUMNS for name, _ in dimensions)
    conditions = [_condition(_COLUMNS[name], value) for name, value in dimensions]
    if incident.measure in _ACTIONS:
        conditions.append(_condition("r.action", _ACTIONS[incident.measure]))
    return _QUERY % {
        "rule": "h.rule" if by_rule else "r.terminating_rule_id",
        "join": _HITS if by_rule else "",
        "conditions": "".join(f"\n      and {condition}" for condition in conditions),
        "limit": limit,
    }


def _condition(column: str, value: str) -> str:
    """Metric files write NULL as an empty string."""
    return f"coalesce({column}, '') = {text_literal(value)}"


def _masked(name: str, value: str | None) -> str:
    text = value or ""
    if name in {"uri", "args"}:
        text = _SECRET.sub(r"\1***", text)
    return text[:_CUT]
