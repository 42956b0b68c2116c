-- A blocked request has one terminating match, so hits of this kind are requests. What is blocked
-- beyond them was blocked by the default action of the web ACL, which is no rule and has no hit.
with rule_block as (
    select
        bucket,
        webacl,
        rule,
        sum(hits) as blocked
    from agg.agg_rule_5m
    where
        bucket >= {{ start }}
        and bucket < {{ end }}
        and terminating
        and rule_action = 'BLOCK'
    group by bucket, webacl, rule
),

all_block as (
    select
        bucket,
        webacl,
        sum(requests) as blocked
    from agg.agg_action_5m
    where
        bucket >= {{ start }}
        and bucket < {{ end }}
        and action = 'BLOCK'
    group by bucket, webacl
),

default_block as (
    select
        all_block.bucket,
        all_block.webacl,
        'Default_Action' as rule,
        all_block.blocked - coalesce(sum(rule_block.blocked), 0) as blocked
    from all_block
    left join rule_block
        on
            all_block.bucket = rule_block.bucket
            and all_block.webacl = rule_block.webacl
    group by all_block.bucket, all_block.webacl, all_block.blocked
)

select
    bucket as "timestamp",
    webacl,
    rule,
    cast(blocked as bigint) as blocked
from rule_block
union all
select
    bucket as "timestamp",
    webacl,
    rule,
    cast(blocked as bigint) as blocked
from default_block
where blocked > 0
