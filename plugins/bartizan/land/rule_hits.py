"""One row per rule that matched a request, from the five places where a log record names one."""

from __future__ import annotations

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bartizan.lake.schemas import REQUESTS, RULE_HITS
from bartizan.land.nested import only

_MATCHED = (
    "action",
    "terminating_rule_id",
    "terminating_rule_type",
    "rule_groups",
    "non_terminating_matching_rules",
)

_RULE = pa.struct([(name, pa.string()) for name in ("rule_id", "action", "overridden_action")])
_GROUP = pa.struct(
    [
        ("rule_group_id", pa.string()),
        ("terminating_rule", _RULE),
        ("non_terminating_matching_rules", pa.list_(_RULE)),
        ("excluded_rules", pa.list_(pa.struct([("rule_id", pa.string())]))),
    ]
)
_WITHOUT_DETAILS = {
    "rule_groups": pa.list_(_GROUP),
    "non_terminating_matching_rules": pa.list_(_RULE),
}
_OF_REQUEST = [name for name in RULE_HITS.names if name in REQUESTS.names]
_NEEDED = [name for name in REQUESTS.names if name in {*_MATCHED, *_OF_REQUEST}]

# Only what says which rule matched: the request's own columns are taken by position afterwards.
# Several groups may name a terminating rule, where all but one are overridden to count. The one
# that decided is the last in order whose action is the request's: evaluation ended with it.
_SELECT = """
with judged as (
    select *, list_transform(
        groups, lambda g: coalesce(upper(g.terminating_rule.action) = action, false)
    ) as decides
    from (
        select * exclude (rule_groups), list_filter(
            rule_groups,
            lambda g: g.terminating_rule is not null
                or len(g.non_terminating_matching_rules) > 0
                or len(g.excluded_rules) > 0
        ) as groups
        from matched
    )
),
decided as (
    select *,
        case
            when coalesce(terminating_rule_type, 'GROUP') in ('GROUP', 'MANAGED_RULE_GROUP')
                and terminating_rule_id <> 'Default_Action'
                and list_contains(decides, true)
            then len(groups) + 1 - list_position(list_reverse(decides), true)
        end as decider
    from judged
),
evaluated as (
    select position, decider, unnest(groups) as g, generate_subscripts(groups, 1) as nth
    from decided
)
-- a rule of the web ACL terminated, or a group did and does not say by which of its rules
select position, cast(null as varchar) as rule_group, terminating_rule_id as rule,
    action as rule_action, cast(null as varchar) as overridden_action, true as terminating
from decided
where terminating_rule_id <> 'Default_Action' and decider is null
union all
-- rules of the web ACL that matched and let the request go on
select position, null, n.rule_id, n.action, n.overridden_action, false
from (select position, unnest(non_terminating_matching_rules) as n from matched)
union all
-- the rule inside a group that terminated, or only counted where the group is overridden
select position, g.rule_group_id, g.terminating_rule.rule_id, g.terminating_rule.action,
    g.terminating_rule.overridden_action, coalesce(nth = decider, false)
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


def with_hits(requests: pa.Table) -> pa.Table:
    """The requests for which some rule is named, other than Default_Action: mostly few."""
    terminated = pc.not_equal(requests["terminating_rule_id"], "Default_Action")
    counted = _has_items(requests["non_terminating_matching_rules"])
    named = np.asarray(pc.or_(pc.fill_null(terminated, False), counted)).copy()
    requests = requests.select(_NEEDED)
    for name, kind in _WITHOUT_DETAILS.items():  # to copy them would take as long as all the rest
        slim = pa.chunked_array([only(chunk, kind) for chunk in requests[name].chunks], kind)
        requests = requests.set_column(requests.column_names.index(name), name, slim)
    groups = requests["rule_groups"].combine_chunks()
    inside = groups.flatten()
    active = pc.or_(
        pc.is_valid(inside.field("terminating_rule")),
        pc.or_(
            _has_items(inside.field("non_terminating_matching_rules")),
            _has_items(inside.field("excluded_rules")),
        ),
    )
    named[pc.list_parent_indices(groups).filter(active)] = True
    return requests.take(pa.array(np.flatnonzero(named)))


def rule_hits(connection: duckdb.DuckDBPyConnection, requests: pa.Table) -> pa.Table:
    """Rows of waf.rule_hits for rows of waf.requests, in the order of the requests."""
    position = pa.array(np.arange(len(requests)))
    connection.register(
        "matched", requests.select(list(_MATCHED)).append_column("position", position)
    )
    hits = connection.sql(_SELECT).to_arrow_table()
    connection.unregister("matched")
    rows = requests.select([*_OF_REQUEST, "action"]).take(hits.column("position"))
    columns = {name: rows.column(name) for name in _OF_REQUEST}
    columns["request_action"] = rows.column("action")
    columns |= {name: hits.column(name) for name in hits.column_names if name != "position"}
    return pa.table([columns[name] for name in RULE_HITS.names], schema=RULE_HITS)


def _has_items(lists: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    return pc.fill_null(pc.greater(pc.list_value_length(lists), 0), False)
