-- Each query selects rows that should not exist; `result` is what query.sql returned.

-- fail: one_row_per_grain
select
    bucket,
    account_id,
    region,
    webacl,
    host,
    uri,
    is_other
from result
group by
    bucket,
    account_id,
    region,
    webacl,
    host,
    uri,
    is_other
having count(*) > 1;

-- fail: every_oversize_request_is_counted_once
with source as (
    select count(*) as events
    from waf.requests
    where
        event_time >= {{ start }}
        and event_time < {{ end }}
        and (
            request_body_size > request_body_size_inspected
            or cardinality(oversize_fields) > 0
        )
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

-- fail: at_most_50_paths
select
    bucket,
    account_id,
    region,
    webacl
from result
group by
    bucket,
    account_id,
    region,
    webacl
having
    sum(case when is_other then 0 else 1 end) > 50
    or sum(case when is_other then 1 else 0 end) > 1;

-- fail: bytes_are_not_negative
select
    bucket,
    webacl,
    uri
from result
where uninspected_bytes < 0;

-- warn: less_than_a_gigabyte_uninspected
select
    bucket,
    webacl,
    uri
from result
where uninspected_bytes >= 1000000000;
