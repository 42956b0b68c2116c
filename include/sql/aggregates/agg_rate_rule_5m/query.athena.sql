-- AWS WAF lists a rate rule with every request it counted, limited or not: that is evaluated. It
-- triggered where the same request has a hit of the rule, which is COUNT or the final action.
-- The 20 keys of a rule and bucket that triggered most keep their rows, the others share one.
with evaluation as (
    select
        request.event_time,
        request.record_hash,
        date_trunc('minute', request.event_time)
        - interval '1' minute * mod(extract(minute from request.event_time), 5) as bucket,
        coalesce(request.webacl, '-') as webacl,
        coalesce(request.account_id, '-') as account_id,
        coalesce(request.region, '-') as region,
        coalesce(rate.rate_based_rule_name, rate.rate_based_rule_id, '-') as rule,
        coalesce(rate.limit_key, '-') as limit_key,
        rate.max_rate_allowed as max_rate,
        rate.evaluation_window_sec as window_s,
        coalesce(
            rate.limit_value,
            nullif(
                array_join(
                    array_sort(
                        transform(
                            rate.custom_values,
                            one -> coalesce(one.key, '-')
                            || coalesce(' ' || one.name, '')
                            || coalesce('=' || one.value, '')
                        )
                    ),
                    ', '
                ),
                ''
            ),
            '-'
        ) as key_value
    from waf.requests as request
    cross join unnest(request.rate_based_rules) as rules (rate)  -- noqa: AL05
    where
        request.event_time >= {{ start }}
        and request.event_time < {{ end }}
),

hit as (
    select distinct
        event_time,
        record_hash,
        rule,
        coalesce(webacl, '-') as webacl
    from waf.rule_hits
    where
        event_time >= {{ start }}
        and event_time < {{ end }}
),

rate_key as (
    select
        evaluation.bucket,
        evaluation.account_id,
        evaluation.region,
        evaluation.webacl,
        evaluation.rule,
        evaluation.limit_key,
        evaluation.max_rate,
        evaluation.window_s,
        evaluation.key_value,
        count(*) as evaluated,
        count(hit.rule) as triggered
    from evaluation
    left join hit
        on
            evaluation.event_time = hit.event_time
            and evaluation.record_hash = hit.record_hash
            and evaluation.webacl = hit.webacl
            and evaluation.rule = hit.rule
    group by
        evaluation.bucket, evaluation.account_id, evaluation.region, evaluation.webacl,
        evaluation.rule, evaluation.limit_key, evaluation.max_rate, evaluation.window_s,
        evaluation.key_value
),

ranked as (
    select
        *,
        row_number() over (
            partition by
                bucket, account_id, region, webacl, rule, limit_key, max_rate, window_s
            order by triggered desc, evaluated desc, key_value asc
        ) > 20 as is_other
    from rate_key
),

folded as (
    select
        bucket,
        account_id,
        region,
        webacl,
        rule,
        limit_key,
        max_rate,
        window_s,
        is_other,
        evaluated,
        triggered,
        case when is_other then 'other' else key_value end as key_value
    from ranked
)

select
    bucket,
    cast(bucket as date) as event_date,
    account_id,
    region,
    webacl,
    rule,
    limit_key,
    max_rate,
    window_s,
    key_value,
    is_other,
    count(*) as unique_keys,
    cast(sum(evaluated) as bigint) as evaluated,
    cast(sum(triggered) as bigint) as triggered
from folded
group by
    bucket, account_id, region, webacl,
    rule, limit_key, max_rate, window_s, key_value, is_other
