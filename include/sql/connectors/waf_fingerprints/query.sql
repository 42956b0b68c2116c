select
    bucket as "timestamp",
    webacl,
    fingerprint_type,
    fingerprint,
    cast(sum(requests) as bigint) as requests,
    cast(sum(blocked) as bigint) as blocked
from agg.agg_fingerprint_5m
where
    bucket >= {{ start }}
    and bucket < {{ end }}
group by bucket, webacl, fingerprint_type, fingerprint
