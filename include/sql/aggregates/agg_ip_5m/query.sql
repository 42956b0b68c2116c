-- The 50 busiest addresses of a bucket and web ACL keep their rows, the others share one.
with request as (
    select
        action,
        terminating_rule_type,
        country,
        uri,
        event_time,
        date_trunc('minute', event_time)
        - interval '1' minute * mod(extract(minute from event_time), 5) as bucket,
        mod(extract(minute from event_time), 5) as minute_of_bucket,
        coalesce(webacl, '-') as webacl,
        coalesce(account_id, '-') as account_id,
        coalesce(region, '-') as region,
        coalesce(client_ip, '-') as client_ip
    from waf.requests
    where
        event_time >= {{ start }}
        and event_time < {{ end }}
),

address as (
    select
        bucket,
        account_id,
        region,
        webacl,
        client_ip,
        coalesce(min(country), '-') as country,
        count(*) as requests,
        sum(case when action = 'ALLOW' then 1 else 0 end) as allowed,
        sum(case when action = 'BLOCK' then 1 else 0 end) as blocked,
        sum(case when action = 'CAPTCHA' then 1 else 0 end) as captcha,
        sum(case when action = 'CHALLENGE' then 1 else 0 end) as challenged,
        sum(
            case when action = 'BLOCK' and terminating_rule_type = 'RATE_BASED' then 1 else 0 end
        ) as rate_blocked,
        greatest(
            sum(case when minute_of_bucket = 0 then 1 else 0 end),
            sum(case when minute_of_bucket = 1 then 1 else 0 end),
            sum(case when minute_of_bucket = 2 then 1 else 0 end),
            sum(case when minute_of_bucket = 3 then 1 else 0 end),
            sum(case when minute_of_bucket = 4 then 1 else 0 end)
        ) as peak_per_minute,
        count(distinct uri) as unique_uris,
        min(event_time) as first_seen,
        max(event_time) as last_seen
    from request
    group by bucket, account_id, region, webacl, client_ip
),

ranked as (
    select
        *,
        row_number() over (
            partition by bucket, account_id, region, webacl
            order by requests desc, client_ip asc
        ) > 50 as is_other
    from address
),

folded as (
    select
        bucket,
        account_id,
        region,
        webacl,
        is_other,
        requests,
        allowed,
        blocked,
        captcha,
        challenged,
        rate_blocked,
        peak_per_minute,
        first_seen,
        last_seen,
        case when is_other then 'other' else client_ip end as client_ip,
        case when is_other then '-' else country end as country,
        case when not is_other then unique_uris end as unique_uris
    from ranked
)

select
    bucket,
    cast(bucket as date) as event_date,
    account_id,
    region,
    webacl,
    client_ip,
    is_other,
    country,
    count(*) as unique_ips,
    cast(sum(requests) as bigint) as requests,
    cast(sum(allowed) as bigint) as allowed,
    cast(sum(blocked) as bigint) as blocked,
    cast(sum(captcha) as bigint) as captcha,
    cast(sum(challenged) as bigint) as challenged,
    cast(sum(rate_blocked) as bigint) as rate_blocked,
    cast(max(peak_per_minute) as bigint) as peak_per_minute,
    max(unique_uris) as unique_uris,
    min(first_seen) as first_seen,
    max(last_seen) as last_seen
from folded
group by bucket, account_id, region, webacl, client_ip, is_other, country
