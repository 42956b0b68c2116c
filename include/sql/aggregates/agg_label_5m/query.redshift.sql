-- sqlfluff:dialect:redshift
-- Redshift joins a row with the elements of its own array, by its alias.
with labelled as (
    select
        request.client_ip,
        date_trunc('minute', request.event_time)
        - interval '1' minute * mod(extract(minute from request.event_time), 5) as bucket,
        coalesce(request.webacl, '-') as webacl,
        coalesce(request.account_id, '-') as account_id,
        coalesce(request.region, '-') as region,
        coalesce(request.action, '-') as action,
        coalesce(label, '-') as label
    from waf.requests as request, request.labels as label
    where
        request.event_time >= {{ start }}
        and request.event_time < {{ end }}
)

select
    bucket,
    cast(bucket as date) as event_date,
    account_id,
    region,
    webacl,
    label,
    action,
    count(*) as requests,
    count(distinct client_ip) as unique_ips
from labelled
group by bucket, account_id, region, webacl, label, action
having
    sum(
        case
            when label like 'awswaf:managed:token:id:%' then 1
            when label like 'awswaf:managed:token:fingerprint:%' then 1
            else 0
        end
    ) = 0
