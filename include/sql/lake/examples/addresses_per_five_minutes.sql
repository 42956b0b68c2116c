-- For a specified date range, count the number of IP addresses in five minute intervals
with test_dataset as (
    select
        httprequest.clientip,
        format_datetime(
            from_unixtime(
                ("timestamp" / 1000) - ((minute(from_unixtime("timestamp" / 1000)) % 5) * 60)
            ),
            'yyyy-MM-dd HH:mm'
        ) as five_minutes_ts
    from waf_logs
    where "date" >= '2026/11/01' and "date" < '2026/12/01'
)

select
    five_minutes_ts,
    clientip,
    count(*) as ip_count
from test_dataset
group by five_minutes_ts, clientip
