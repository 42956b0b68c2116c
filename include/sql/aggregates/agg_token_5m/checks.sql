-- Each query selects rows that should not exist; `result` is what query.sql returned.

-- fail: one_row_per_grain
select
    bucket,
    account_id,
    region,
    webacl,
    mechanism,
    outcome,
    method
from result
group by
    bucket,
    account_id,
    region,
    webacl,
    mechanism,
    outcome,
    method
having count(*) > 1;

-- fail: no_final_action_is_missing
with source as (
    select count(*) as events
    from waf.requests
    where
        event_time >= {{ start }}
        and event_time < {{ end }}
        and action in ('CAPTCHA', 'CHALLENGE')
),

built as (
    select coalesce(sum(case when outcome <> 'SOLVED' then requests else 0 end), 0) as counted
    from result
)

select
    source.events,
    built.counted
from source
cross join built
where source.events > built.counted;

-- fail: distinct_is_at_most_total
select
    bucket,
    webacl,
    outcome
from result
where
    unique_ips > requests
    or unique_ips < 0;

-- fail: mechanism_is_known
select
    bucket,
    webacl,
    mechanism
from result
where mechanism not in ('CAPTCHA', 'CHALLENGE');

-- warn: outcome_is_known
select
    bucket,
    webacl,
    outcome
from result
where outcome not in (
    'SOLVED',
    'TOKEN_MISSING',
    'TOKEN_INVALID',
    'TOKEN_EXPIRED',
    'TOKEN_DOMAIN_MISMATCH',
    'TOKEN_NOT_SOLVED'
);
