-- sqlfluff:dialect:redshift
-- In place of the checks of these names in checks.sql.

-- fail: every_evaluation_is_counted_once
with source as (
    select count(*) as events
    from waf.requests as request, request.rate_based_rules as rate
    where
        request.event_time >= {{ start }}
        and request.event_time < {{ end }}
),

built as (
    select coalesce(sum(evaluated), 0) as counted
    from result
)

select
    source.events,
    built.counted
from source
cross join built
where source.events <> built.counted;
