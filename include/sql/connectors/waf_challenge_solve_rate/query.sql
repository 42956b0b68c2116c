select
    bucket as "timestamp",
    webacl,
    mechanism,
    cast(sum(case when outcome = 'SOLVED' then requests else 0 end) as bigint) as solved,
    cast(sum(requests) as bigint) as requests
from agg.agg_token_5m
where
    bucket >= {{ start }}
    and bucket < {{ end }}
group by bucket, webacl, mechanism
