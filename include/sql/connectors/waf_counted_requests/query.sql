select
    bucket as "timestamp",
    webacl,
    rule,
    cast(sum(hits) as bigint) as counted
from agg.agg_rule_5m
where
    bucket >= {{ start }}
    and bucket < {{ end }}
    and rule_action in ('COUNT', 'EXCLUDED_AS_COUNT')
group by bucket, webacl, rule
