-- The 10,000 busiest addresses of a day and web ACL keep their rows, the others share one.
with request as (
    select
        action,
        terminating_rule_id,
        event_time,
        date_trunc('day', event_time) as bucket,
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
        count(*) as requests,
        sum(case when action = 'ALLOW' then 1 else 0 end) as allowed,
        sum(case when action = 'BLOCK' then 1 else 0 end) as blocked,
        count(distinct case when action = 'BLOCK' then terminating_rule_id end) as blocking_rules,
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
        ) > 10000 as is_other
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
        first_seen,
        last_seen,
        case when is_other then 'other' else client_ip end as client_ip,
        case when not is_other then blocking_rules end as blocking_rules
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
    count(*) as unique_ips,
    cast(sum(requests) as bigint) as requests,
    cast(sum(allowed) as bigint) as allowed,
    cast(sum(blocked) as bigint) as blocked,
    max(blocking_rules) as blocking_rules,
    min(first_seen) as first_seen,
    max(last_seen) as last_seen
from folded
group by bucket, account_id, region, webacl, client_ip, is_other
