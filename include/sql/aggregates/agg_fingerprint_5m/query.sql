-- The 50 busiest of a bucket, web ACL and type keep their rows, the others share one.
with request as (
    select
        action,
        client_ip,
        user_agent,
        date_trunc('minute', event_time)
        - interval '1' minute * mod(extract(minute from event_time), 5) as bucket,
        coalesce(webacl, '-') as webacl,
        coalesce(account_id, '-') as account_id,
        coalesce(region, '-') as region,
        coalesce(ja4_fingerprint, ja3_fingerprint) as fingerprint,
        case when ja4_fingerprint is null then 'ja3' else 'ja4' end as fingerprint_type
    from waf.requests
    where
        event_time >= {{ start }}
        and event_time < {{ end }}
        and coalesce(ja4_fingerprint, ja3_fingerprint) is not null
),

client as (
    select
        bucket,
        account_id,
        region,
        webacl,
        fingerprint_type,
        fingerprint,
        count(*) as requests,
        sum(case when action = 'ALLOW' then 1 else 0 end) as allowed,
        sum(case when action = 'BLOCK' then 1 else 0 end) as blocked,
        count(distinct client_ip) as unique_ips,
        count(distinct user_agent) as unique_user_agents
    from request
    group by bucket, account_id, region, webacl, fingerprint_type, fingerprint
),

ranked as (
    select
        *,
        row_number() over (
            partition by bucket, account_id, region, webacl, fingerprint_type
            order by requests desc, fingerprint asc
        ) > 50 as is_other
    from client
),

folded as (
    select
        bucket,
        account_id,
        region,
        webacl,
        fingerprint_type,
        is_other,
        requests,
        allowed,
        blocked,
        case when is_other then 'other' else fingerprint end as fingerprint,
        case when not is_other then unique_ips end as unique_ips,
        case when not is_other then unique_user_agents end as unique_user_agents
    from ranked
)

select
    bucket,
    cast(bucket as date) as event_date,
    account_id,
    region,
    webacl,
    fingerprint_type,
    fingerprint,
    is_other,
    count(*) as unique_fingerprints,
    cast(sum(requests) as bigint) as requests,
    cast(sum(allowed) as bigint) as allowed,
    cast(sum(blocked) as bigint) as blocked,
    max(unique_ips) as unique_ips,
    max(unique_user_agents) as unique_user_agents
from folded
group by bucket, account_id, region, webacl, fingerprint_type, fingerprint, is_other
