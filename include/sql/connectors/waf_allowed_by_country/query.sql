select
    bucket as "timestamp",
    webacl,
    country,
    cast(sum(allowed) as bigint) as allowed
from agg.agg_country_1h
where
    bucket >= {{ start }}
    and bucket < {{ end }}
group by bucket, webacl, country
