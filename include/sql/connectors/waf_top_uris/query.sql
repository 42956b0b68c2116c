select
    bucket as "timestamp",
    webacl,
    host,
    uri_template,
    cast(sum(requests) as bigint) as requests,
    cast(sum(blocked) as bigint) as blocked
from agg.agg_uri_5m
where
    bucket >= {{ start }}
    and bucket < {{ end }}
group by bucket, webacl, host, uri_template
