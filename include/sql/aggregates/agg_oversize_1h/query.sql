-- The 50 busiest of a bucket and web ACL keep their rows, the others share one.
with request as (
    select
        date_trunc('hour', event_time) as bucket,
        coalesce(webacl, '-') as webacl,
        coalesce(account_id, '-') as account_id,
        coalesce(region, '-') as region,
        coalesce(host, '-') as host,
        coalesce(uri, '-') as uri,
        case
            when request_body_size > request_body_size_inspected
                then request_body_size - request_body_size_inspected
            else 0
        end as uninspected
    from waf.requests
    where
        event_time >= {{ start }}
        and event_time < {{ end }}
        and (
            request_body_size > request_body_size_inspected
            or cardinality(oversize_fields) > 0
        )
),

path as (
    select
        bucket,
        account_id,
        region,
        webacl,
        host,
        uri,
        count(*) as requests,
        sum(uninspected) as uninspected_bytes
    from request
    group by bucket, account_id, region, webacl, host, uri
),

ranked as (
    select
        *,
        row_number() over (
            partition by bucket, account_id, region, webacl
            order by requests desc, host asc, uri asc
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
        uninspected_bytes,
        case when is_other then 'other' else host end as host,
        case when is_other then 'other' else uri end as uri
    from ranked
)

select
    bucket,
    cast(bucket as date) as event_date,
    account_id,
    region,
    webacl,
    host,
    uri,
    is_other,
    count(*) as unique_uris,
    cast(sum(requests) as bigint) as requests,
    cast(sum(uninspected_bytes) as bigint) as uninspected_bytes
from folded
group by bucket, account_id, region, webacl, host, uri, is_other
