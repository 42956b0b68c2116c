-- Each query selects rows that should not exist; `result` is what query.sql returned.

-- fail: one_row_per_grain
select
    bucket,
    account_id,
    region,
    webacl,
    rule_group,
    rule,
    rule_action,
    overridden_action,
    terminating
from result
group by
    bucket,
    account_id,
    region,
    webacl,
    rule_group,
    rule,
    rule_action,
    overridden_action,
    terminating
having count(*) > 1;

-- fail: every_hit_is_counted_once
with source as (
    select count(*) as events
    from waf.rule_hits
    where
        event_time >= {{ start }}
        and event_time < {{ end }}
),

built as (
    select coalesce(sum(hits), 0) as counted
    from result
)

select
    source.events,
    built.counted
from source
cross join built
where source.events <> built.counted;

-- fail: distinct_is_at_most_total
select
    bucket,
    webacl,
    rule
from result
where
    unique_ips > hits
    or unique_ips < 0;

-- warn: rule_has_a_name
select
    bucket,
    webacl,
    rule
from result
where rule = '-';
