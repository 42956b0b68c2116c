-- Each query selects rows that should not exist; `result` is what query.sql returned.

-- fail: one_row_per_grain
select
    bucket,
    account_id,
    region,
    webacl,
    fingerprint_type,
    fingerprint,
    is_other
from result
group by
    bucket,
    account_id,
    region,
    webacl,
    fingerprint_type,
    fingerprint,
    is_other
having count(*) > 1;

-- fail: every_fingerprint_is_counted_once
with source as (
    select count(*) as events
    from waf.requests
    where
        event_time >= {{ start }}
        and event_time < {{ end }}
        and coalesce(ja4_fingerprint, ja3_fingerprint) is not null
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

-- fail: at_most_50_fingerprints
select
    bucket,
    account_id,
    region,
    webacl,
    fingerprint_type
from result
group by
    bucket,
    account_id,
    region,
    webacl,
    fingerprint_type
having
    sum(case when is_other then 0 else 1 end) > 50
    or sum(case when is_other then 1 else 0 end) > 1;

-- fail: parts_are_at_most_requests
select
    bucket,
    webacl,
    fingerprint
from result
where
    allowed + blocked > requests
    or unique_ips > requests
    or unique_user_agents > requests;

-- warn: fingerprint_has_its_length
select
    bucket,
    webacl,
    fingerprint
from result
where
    not is_other
    and length(fingerprint) <> case when fingerprint_type = 'ja3' then 32 else 36 end;
