-- Methods are made up by clients: what is none of HTTP's counts as one series.
with request as (
    select
        date_trunc('minute', event_time)
        - interval '1' minute * mod(extract(minute from event_time), 5) as bucket,
        coalesce(webacl, '-') as webacl,
        case
            when method in (
                'CONNECT', 'DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT', 'TRACE'
            ) then method
            else 'other'
        end as method
    from waf.requests
    where
        event_time >= {{ start }}
        and event_time < {{ end }}
)

select
    bucket as "timestamp",
    webacl,
    method,
    count(*) as requests
from request
group by bucket, webacl, method
