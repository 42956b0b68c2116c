-- Each query selects rows that should not exist; `result` is what query.sql returned.

-- fail: one_row_per_grain
select
    bucket,
    account_id,
    region,
    webacl,
    rule,
    limit_key,
    max_rate,
    window_s,
    key_value,
    is_other
from result
group by
    bucket,
    account_id,
    region,
    webacl,
    rule,
    limit_key,
    max_rate,
    window_s,
    key_value,
    is_other
having count(*) > 1;

-- fail: every_evaluation_is_counted_once
with source as (
    select coalesce(sum(cardinality(rate_based_rules)), 0) as events
    from waf.requests
    where
        event_time >= {{ start }}
        and event_time < {{ end }}
),

built as (
    select coalesce(sum(evaluated), 0) as counted
    from result
)

select
    source.events,
    built.counted
from source
cross join built
where source.events <> built.counted;

-- fail: at_most_20_keys
select
    bucket,
    account_id,
    region,
    webacl,
    rule,
    limit_key,
    max_rate,
    window_s
from result
group by
    bucket,
    account_id,
    region,
    webacl,
    rule,
    limit_key,
    max_rate,
    window_s
having
    sum(case when is_other then 0 else 1 end) > 20
    or sum(case when is_other then 1 else 0 end) > 1;

-- fail: triggered_is_at_most_evaluated
select
    bucket,
    webacl,
    rule
from result
where triggered > evaluated;

-- warn: rule_has_a_name
select
    bucket,
    webacl,
    evaluated
from result
where rule = '-';
