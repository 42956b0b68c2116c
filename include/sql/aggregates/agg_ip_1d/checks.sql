-- Each query selects rows that should not exist; `result` is what query.sql returned.

-- fail: one_row_per_grain
select
    bucket,
    account_id,
    region,
    webacl,
    client_ip,
    is_other
from result
group by
    bucket,
    account_id,
    region,
    webacl,
    client_ip,
    is_other
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

-- fail: at_most_10000_addresses
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
    sum(case when is_other then 0 else 1 end) > 10000
    or sum(case when is_other then 1 else 0 end) > 1;

-- fail: one_address_unless_other
select
    bucket,
    webacl,
    client_ip
from result
where
    not is_other
    and unique_ips <> 1;

-- fail: parts_are_at_most_requests
select
    bucket,
    webacl,
    client_ip
from result
where
    allowed + blocked > requests
    or blocking_rules > blocked;

-- fail: seen_on_its_day
select
    bucket,
    webacl,
    client_ip
from result
where
    first_seen < bucket
    or first_seen > last_seen
    or last_seen >= bucket + interval '1' day;

-- warn: address_is_known
select
    bucket,
    webacl,
    requests
from result
where client_ip = '-';
