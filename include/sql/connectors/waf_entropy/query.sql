-- Shannon's entropy: 0 when all requests are of one, log2(n) when n have equally many.
-- Scanners and fuzzers raise that of paths and arguments, a flood of few clients lowers theirs.
with request as (
    select
        date_trunc('minute', event_time)
        - interval '1' minute * mod(extract(minute from event_time), 5) as bucket,
        coalesce(webacl, '-') as webacl,
        coalesce(uri, '-') as uri,
        coalesce(client_ip, '-') as client,
        coalesce(args, '-') as arguments
    from waf.requests
    where
        event_time >= {{ start }}
        and event_time < {{ end }}
),

counted as (
    select
        bucket,
        webacl,
        'uri' as of_what,
        count(*) as requests
    from request
    group by bucket, webacl, uri
    union all
    select
        bucket,
        webacl,
        'client' as of_what,
        count(*) as requests
    from request
    group by bucket, webacl, client
    union all
    select
        bucket,
        webacl,
        'arguments' as of_what,
        count(*) as requests
    from request
    group by bucket, webacl, arguments
),

entropy as (
    select
        bucket,
        webacl,
        of_what,
        (ln(sum(requests)) - sum(requests * ln(requests)) / sum(requests)) / ln(2) as bits
    from counted
    group by bucket, webacl, of_what
)

select
    bucket as "timestamp",
    webacl,
    max(case when of_what = 'uri' then bits end) as uri_entropy,
    max(case when of_what = 'client' then bits end) as client_entropy,
    max(case when of_what = 'arguments' then bits end) as arguments_entropy
from entropy
group by bucket, webacl
