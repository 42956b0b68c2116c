select
    bucket as "timestamp",
    webacl,
    mechanism,
    outcome,
    cast(sum(requests) as bigint) as requests
from agg.agg_token_5m
where
    bucket >= {{ start }}
    and bucket < {{ end }}
group by bucket, webacl, mechanism, outcome
