-- sqlfluff:dialect:redshift
-- The 50 busiest of a bucket and web ACL keep their rows, the others share one.
with oversized as (
    select
        date_trunc('hour', request.event_time) as bucket,
        coalesce(request.webacl, '-') as webacl,
        coalesce(request.account_id, '-') as account_id,
        coalesce(request.region, '-') as region,
        coalesce(request.host, '-') as host,
        coalesce(request.uri, '-') as uri,
        case
            when request.request_body_size > request.request_body_size_inspected
                then request.request_body_size - request.request_body_size_inspected
            else 0
        end as uninspected
    from waf.requests as request
    where
        request.event_time >= {{ start }}
        and request.event_time < {{ end }}
        and (
            request.request_body_size > request.request_body_size_inspected
            or (select count(field) from request.oversize_fields as field) > 0
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
    from oversized
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
