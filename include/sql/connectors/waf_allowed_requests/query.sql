select
    bucket as "timestamp",
    webacl,
    cast(sum(requests) as bigint) as allowed
from agg.agg_action_5m
where
    bucket >= {{ start }}
    and bucket < {{ end }}
    and action = 'ALLOW'
group by bucket, webacl
