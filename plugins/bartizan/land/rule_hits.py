"""One row per rule that matched a request, from the five places where a log record names one."""

from __future__ import annotations

import duckdb
import pyarrow as pa

from bartizan.lake.schemas import RULE_HITS

_REQUEST = """
    event_time, event_ms, event_date, event_hour, account_id, region, webacl, request_action,
    client_ip, country, host, uri, record_hash, batch_id
"""

_SELECT = f"""
with request as (
    select {_REQUEST}, terminating_rule_id, terminating_rule_type, rule_groups,
        non_terminating_matching_rules,
        len(list_filter(rule_groups, lambda g: g.terminating_rule is not null)) > 0 as by_group
    from (select * rename (action as request_action) from requests)
),
evaluated as (
    select * exclude (rule_groups, non_terminating_matching_rules), unnest(rule_groups) as g
    from request
),
hit as (
    -- a rule of the web ACL terminated, or a group did and does not say by which of its rules
    select {_REQUEST}, cast(null as varchar) as rule_group, terminating_rule_id as rule,
        request_action as rule_action, cast(null as varchar) as overridden_action,
        true as terminating
    from request
    where terminating_rule_id <> 'Default_Action'
        and (terminating_rule_type in ('REGULAR', 'RATE_BASED') or not coalesce(by_group, false))
    union all
    -- rules of the web ACL that matched and let the request go on
    select {_REQUEST}, null, n.rule_id, n.action, n.overridden_action, false
    from (select *, unnest(non_terminating_matching_rules) as n from request)
    union all
    -- the rule inside a group that terminated, or only counted where the group is overridden
    select {_REQUEST}, g.rule_group_id, g.terminating_rule.rule_id, g.terminating_rule.action,
        g.terminating_rule.overridden_action,
        coalesce(terminating_rule_id <> 'Default_Action', false)
            and coalesce(terminating_rule_type, 'GROUP') in ('GROUP', 'MANAGED_RULE_GROUP')
    from evaluated
    where g.terminating_rule is not null
    union all
    -- rules inside a group that matched and let the request go on
    select {_REQUEST}, g.rule_group_id, n.rule_id, n.action, n.overridden_action, false
    from (select *, unnest(g.non_terminating_matching_rules) as n from evaluated)
    union all
    -- rules excluded the way it was done before October 2022
    select {_REQUEST}, g.rule_group_id, e.rule_id, 'EXCLUDED_AS_COUNT', null, false
    from (select *, unnest(g.excluded_rules) as e from evaluated)
)
select {", ".join(RULE_HITS.names)}
from hit
order by event_date, event_hour, webacl, event_time
"""


def rule_hits(connection: duckdb.DuckDBPyConnection, requests: pa.Table) -> pa.Table:
    """Rows of waf.rule_hits for rows of waf.requests, in order of time and web ACL."""
    connection.register("requests", requests)
    hits = connection.sql(_SELECT).to_arrow_table()
    connection.unregister("requests")
    return hits.cast(RULE_HITS)
