with rule_block as (
    select
        date_trunc('hour', event_time) as bucket,
        coalesce(webacl, '-') as webacl,
        coalesce(rule, '-') as rule,
        coalesce(country, '-') as country
    from waf.rule_hits
    where
        event_time >= {{ start }}
        and event_time < {{ end }}
        and terminating
        and rule_action = 'BLOCK'
)

select
    bucket as "timestamp",
    webacl,
    rule,
    country,
    count(*) as blocked
from rule_block
group by bucket, webacl, rule, country
