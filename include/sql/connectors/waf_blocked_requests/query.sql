-- A blocked request has one terminating match, so these hits are requests.
select
    bucket as "timestamp",
    webacl,
    rule,
    cast(sum(hits) as bigint) as blocked
from agg.agg_rule_5m
where
    bucket >= {{ start }}
    and bucket < {{ end }}
    and terminating
    and rule_action = 'BLOCK'
group by bucket, webacl, rule
