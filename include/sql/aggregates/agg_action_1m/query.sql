with request as (
    select
        request_body_size,
        date_trunc('minute', event_time) as bucket,
        coalesce(webacl, '-') as webacl,
        coalesce(action, '-') as action,
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
    action,
    count(*) as requests,
    cast(sum(coalesce(request_body_size, 0)) as bigint) as body_bytes
from request
group by bucket, account_id, region, webacl, source_name, action
