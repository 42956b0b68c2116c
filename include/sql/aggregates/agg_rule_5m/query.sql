with rule_hit as (
    select
        terminating,
        client_ip,
        uri,
        date_trunc('minute', event_time)
        - interval '1' minute * mod(extract(minute from event_time), 5) as bucket,
        coalesce(webacl, '-') as webacl,
        coalesce(account_id, '-') as account_id,
        coalesce(region, '-') as region,
        coalesce(rule_group, '-') as rule_group,
        coalesce(rule, '-') as rule,
        coalesce(rule_action, '-') as rule_action,
        coalesce(overridden_action, '-') as overridden_action
    from waf.rule_hits
    where
        event_time >= {{ start }}
        and event_time < {{ end }}
)

select
    bucket,
    cast(bucket as date) as event_date,
    account_id,
    region,
    webacl,
    rule_group,
    rule,
    rule_action,
    overridden_action,
    terminating,
    count(*) as hits,
    count(distinct client_ip) as unique_ips,
    count(distinct uri) as unique_uris
from rule_hit
group by
    bucket, account_id, region, webacl,
    rule_group, rule, rule_action, overridden_action, terminating
