with request as (
    select
        date_trunc('minute', event_time)
        - interval '1' minute * mod(extract(minute from event_time), 5) as bucket,
        coalesce(webacl, '-') as webacl,
        cast(response_code_sent as varchar) as response_code
    from waf.requests
    where
        event_time >= {{ start }}
        and event_time < {{ end }}
        and response_code_sent is not null
)

select
    bucket as "timestamp",
    webacl,
    response_code,
    count(*) as responses
from request
group by bucket, webacl, response_code
