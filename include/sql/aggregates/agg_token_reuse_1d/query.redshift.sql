-- sqlfluff:dialect:redshift
-- Redshift joins a row with the elements of its own array, by its alias.
with token as (
    select
        request.client_ip,
        request.country,
        date_trunc('day', request.event_time) as bucket,
        coalesce(request.webacl, '-') as webacl,
        coalesce(request.account_id, '-') as account_id,
        coalesce(request.region, '-') as region,
        label as token_label
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
    token_label,
    count(*) as requests,
    count(distinct client_ip) as unique_ips,
    count(distinct country) as unique_countries
from token
group by bucket, account_id, region, webacl, token_label
having
    count(distinct client_ip) > 2
    and sum(case when token_label like 'awswaf:managed:token:id:%' then 1 else 0 end) > 0
