-- Each query selects rows that should not exist; `result` is what query.sql returned.

-- fail: one_row_per_grain
select
    bucket,
    account_id,
    region,
    webacl,
    source_name,
    action
from result
group by
    bucket,
    account_id,
    region,
    webacl,
    source_name,
    action
having count(*) > 1;

-- fail: every_request_is_counted_once
with source as (
    select count(*) as events
    from waf.requests
    where
        event_time >= {{ start }}
        and event_time < {{ end }}
),

built as (
    select coalesce(sum(requests), 0) as counted
    from result
)

select
    source.events,
    built.counted
from source
cross join built
where source.events <> built.counted;

-- warn: action_is_known
select
    bucket,
    webacl,
    action
from result
where action not in ('ALLOW', 'BLOCK', 'CAPTCHA', 'CHALLENGE');
