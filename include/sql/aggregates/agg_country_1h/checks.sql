-- Each query selects rows that should not exist; `result` is what query.sql returned.

-- fail: one_row_per_grain
select
    bucket,
    account_id,
    region,
    webacl,
    country
from result
group by
    bucket,
    account_id,
    region,
    webacl,
    country
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

-- fail: distinct_is_at_most_total
select
    bucket,
    webacl,
    country
from result
where
    unique_ips > requests
    or unique_ips < 0;

-- fail: parts_are_at_most_requests
select
    bucket,
    webacl,
    country
from result
where blocked + allowed > requests;

-- warn: most_countries_are_known
select webacl
from result
group by webacl
having sum(case when country = '-' then requests else 0 end) * 2 > sum(requests);
