-- Count the number of referrers that contain a specified term
with test_dataset as (
    select header
    from waf_logs
    cross join unnest(httprequest.headers) as t (header)
    where "date" >= '2026/11/01' and "date" < '2026/12/01'
)

select count(*) as referer_count
from test_dataset
where lower(header.name) = 'referer' and header.value like '%amazon%'
