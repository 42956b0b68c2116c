-- sqlfluff:dialect:redshift
-- In place of the checks of these names in checks.sql.

-- fail: every_label_is_counted_once
with name as (
    select coalesce(label, '-') as name
    from waf.requests as request, request.labels as label
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
