-- A share stays where it is while traffic grows: attacks move it, busy hours do not.
select
    bucket as "timestamp",
    webacl,
    cast(sum(case when action = 'BLOCK' then requests else 0 end) as bigint) as blocked,
    cast(sum(requests) as bigint) as requests
from agg.agg_action_5m
where
    bucket >= {{ start }}
    and bucket < {{ end }}
group by bucket, webacl
