-- Count the number of X-Forwarded-For IP in the last 10 days
with test_dataset as (
    select header
    from waf_logs
    cross join unnest(httprequest.headers) as t (header)
    where from_unixtime("timestamp" / 1000) > now() - interval '10' day
)

select
    header.value as ip,
    count(*) as count
from test_dataset
where header.name = 'X-Forwarded-For'
group by header.value
order by count desc
