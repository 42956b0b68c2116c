-- The 50 busiest of a bucket and web ACL keep their rows, the others share one.
with request as (
    select
        action,
        client_ip,
        date_trunc('minute', event_time)
        - interval '1' minute * mod(extract(minute from event_time), 5) as bucket,
        coalesce(webacl, '-') as webacl,
        coalesce(account_id, '-') as account_id,
        coalesce(region, '-') as region,
        coalesce(host, '-') as host,
        coalesce(method, '-') as method,
        coalesce(
            regexp_replace(
                uri,
                '/([0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9a-fA-F]{16,}|[0-9]+)\b',
                '/{id}'
            ),
            '-'
        ) as uri_template
    from waf.requests
    where
        event_time >= {{ start }}
        and event_time < {{ end }}
),

path as (
    select
        bucket,
        account_id,
        region,
        webacl,
        host,
        uri_template,
        method,
        count(*) as requests,
        sum(case when action = 'BLOCK' then 1 else 0 end) as blocked,
        sum(case when action in ('CAPTCHA', 'CHALLENGE') then 1 else 0 end) as challenged,
        count(distinct client_ip) as unique_ips
    from request
    group by bucket, account_id, region, webacl, host, uri_template, method
),

ranked as (
    select
        *,
        row_number() over (
            partition by bucket, account_id, region, webacl
            order by requests desc, host asc, uri_template asc, method asc
        ) > 50 as is_other
    from path
),

folded as (
    select
        bucket,
        account_id,
        region,
        webacl,
        is_other,
        requests,
        blocked,
        challenged,
        case when is_other then 'other' else host end as host,
        case when is_other then 'other' else uri_template end as uri_template,
        case when is_other then 'other' else method end as method,
        case when not is_other then unique_ips end as unique_ips
    from ranked
)

select
    bucket,
    cast(bucket as date) as event_date,
    account_id,
    region,
    webacl,
    host,
    uri_template,
    method,
    is_other,
    count(*) as unique_uris,
    cast(sum(requests) as bigint) as requests,
    cast(sum(blocked) as bigint) as blocked,
    cast(sum(challenged) as bigint) as challenged,
    max(unique_ips) as unique_ips
from folded
group by bucket, account_id, region, webacl, host, uri_template, method, is_other
