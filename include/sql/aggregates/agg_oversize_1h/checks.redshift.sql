-- sqlfluff:dialect:redshift
-- In place of the checks of these names in checks.sql.

-- fail: every_oversize_request_is_counted_once
with source as (
    select count(*) as events
    from waf.requests as request
    where
        request.event_time >= {{ start }}
        and request.event_time < {{ end }}
        and (
            request.request_body_size > request.request_body_size_inspected
            or (select count(field) from request.oversize_fields as field) > 0
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
