-- Each row brings the total of its web ACL: numerator and denominator of one share.
with country_hour as (
    select
        bucket,
        webacl,
        country,
        cast(sum(allowed) as bigint) as allowed
    from agg.agg_country_1h
    where
        bucket >= {{ start }}
        and bucket < {{ end }}
    group by bucket, webacl, country
)

select
    bucket as "timestamp",
    webacl,
    country,
    allowed,
    cast(sum(allowed) over (partition by bucket, webacl) as bigint) as webacl_allowed
from country_hour
