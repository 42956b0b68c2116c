-- Each query selects rows that should not exist; `result` is what query.sql returned.

-- fail: one_row_per_grain
select
    bucket,
    account_id,
    region,
    webacl,
    label,
    action
from result
group by
    bucket,
    account_id,
    region,
    webacl,
    label,
    action
having count(*) > 1;

-- fail: every_label_is_counted_once
with name as (
    select coalesce(label.name, '-') as name
    from waf.requests as request
    cross join unnest(request.labels) as label (name)
    where
        request.event_time >= {{ start }}
        and request.event_time < {{ end }}
),

source as (
    select
        coalesce(
            sum(
                case
                    when name like 'awswaf:managed:token:id:%' then 0
                    when name like 'awswaf:managed:token:fingerprint:%' then 0
                    else 1
                end
            ),
            0
        ) as events
    from name
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
    label
from result
where
    unique_ips > requests
    or unique_ips < 0;

-- fail: token_ids_are_left_out
select
    bucket,
    webacl,
    label
from result
where
    label like 'awswaf:managed:token:id:%'
    or label like 'awswaf:managed:token:fingerprint:%';

-- warn: label_has_a_name
select
    bucket,
    webacl,
    requests
from result
where label = '-';
