with request as (
    select
        action,
        client_ip,
        date_trunc('hour', event_time) as bucket,
        coalesce(webacl, '-') as webacl,
        coalesce(account_id, '-') as account_id,
        coalesce(region, '-') as region,
        coalesce(country, '-') as country
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
    country,
    count(*) as requests,
    cast(sum(case when action = 'BLOCK' then 1 else 0 end) as bigint) as blocked,
    cast(sum(case when action = 'ALLOW' then 1 else 0 end) as bigint) as allowed,
    count(distinct client_ip) as unique_ips
from request
group by bucket, account_id, region, webacl, country
