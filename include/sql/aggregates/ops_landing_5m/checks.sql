-- Each query selects rows that should not exist; `result` is what query.sql returned.

-- fail: one_row_per_grain
select
    bucket,
    account_id,
    region,
    webacl,
    source_name
from result
group by
    bucket,
    account_id,
    region,
    webacl,
    source_name
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

-- fail: parts_are_possible
select
    bucket,
    webacl,
    source_name
from result
where
    objects > requests
    or batches > objects
    or minutes > 5
    or first_event < bucket
    or last_event < first_event;

-- warn: objects_are_known
select
    bucket,
    webacl,
    requests
from result
where objects = 0;
