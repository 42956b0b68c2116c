"""One row per rule that matched a request, from the five places where a log record names one."""

from __future__ import annotations

import duckdb
import numpy as np
import pyarrow as pa

from bartizan.lake.schemas import RULE_HITS

_MATCHED = (
    "action",
    "terminating_rule_id",
    "terminating_rule_type",
    "rule_groups",
    "non_terminating_matching_rules",
)

# Only what says which rule matched: the request's own columns are taken by position afterwards.
_SELECT = """
with evaluated as (
    select position, terminating_rule_id, terminating_rule_type, unnest(list_filter(
        rule_groups,
        lambda g: g.terminating_rule is not null
            or len(g.non_terminating_matching_rules) > 0
            or len(g.excluded_rules) > 0
    )) as g
    from matched
)
-- a rule of the web ACL terminated, or a group did and does not say by which of its rules
select position, cast(null as varchar) as rule_group, terminating_rule_id as rule,
    action as rule_action, cast(null as varchar) as overridden_action, true as terminating
from matched
where terminating_rule_id <> 'Default_Action' and (
    terminating_rule_type in ('REGULAR', 'RATE_BASED')
    or coalesce(len(list_filter(rule_groups, lambda g: g.terminating_rule is not null)), 0) = 0
)
union all
-- rules of the web ACL that matched and let the request go on
select position, null, n.rule_id, n.action, n.overridden_action, false
from (select position, unnest(non_terminating_matching_rules) as n from matched)
union all
-- the rule inside a group that terminated, or only counted where the group is overridden
select position, g.rule_group_id, g.terminating_rule.rule_id, g.terminating_rule.action,
    g.terminating_rule.overridden_action,
    coalesce(terminating_rule_id <> 'Default_Action', false)
        and coalesce(terminating_rule_type, 'GROUP') in ('GROUP', 'MANAGED_RULE_GROUP')
from evaluated
where g.terminating_rule is not null
union all
-- rules inside a group that matched and let the request go on
select position, g.rule_group_id, n.rule_id, n.action, n.overridden_action, false
from (select position, g, unnest(g.non_terminating_matching_rules) as n from evaluated)
union all
-- rules excluded the way it was done before October 2022
select position, g.rule_group_id, e.rule_id, 'EXCLUDED_AS_COUNT', null, false
from (select position, g, unnest(g.excluded_rules) as e from evaluated)
order by position
"""


def rule_hits(connection: duckdb.DuckDBPyConnection, requests: pa.Table) -> pa.Table:
    """Rows of waf.rule_hits for rows of waf.requests, in the order of the requests."""
    position = pa.array(np.arange(len(requests)))
    connection.register(
        "matched", requests.select(list(_MATCHED)).append_column("position", position)
    )
    hits = connection.sql(_SELECT).to_arrow_table()
    connection.unregister("matched")
    of_request = [name for name in RULE_HITS.names if name in requests.column_names]
    rows = requests.select([*of_request, "action"]).take(hits.column("position"))
    columns = {name: rows.column(name) for name in of_request}
    columns["request_action"] = rows.column("action")
    columns |= {name: hits.column(name) for name in hits.column_names if name != "position"}
    return pa.table([columns[name] for name in RULE_HITS.names], schema=RULE_HITS)
