with request as (
    select
        event_time,
        source_object,
        batch_id,
        date_trunc('minute', event_time) as event_minute,
        date_trunc('minute', event_time)
        - interval '1' minute * mod(extract(minute from event_time), 5) as bucket,
        coalesce(webacl, '-') as webacl,
        coalesce(account_id, '-') as account_id,
        coalesce(region, '-') as region,
        coalesce(source_name, '-') as source_name
    from waf.requests
    where
        event_time >= {{ start }}
        and event_time < {{ end }}
)

select
    bucket,
    cast(bucket as date) as event_date,
    account_id,
    region,
    webacl,
    source_name,
    count(*) as requests,
    count(distinct source_object) as objects,
    count(distinct batch_id) as batches,
    count(distinct event_minute) as minutes,
    min(event_time) as first_event,
    max(event_time) as last_event
from request
group by bucket, account_id, region, webacl, source_name
