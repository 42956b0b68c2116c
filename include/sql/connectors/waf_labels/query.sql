select
    bucket as "timestamp",
    webacl,
    label,
    cast(sum(requests) as bigint) as requests
from agg.agg_label_5m
where
    bucket >= {{ start }}
    and bucket < {{ end }}
group by bucket, webacl, label
