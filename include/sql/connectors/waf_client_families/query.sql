-- By the User-Agent header, which a client can choose: a shift is telling, a value is no proof.
with request as (
    select
        date_trunc('minute', event_time)
        - interval '1' minute * mod(extract(minute from event_time), 5) as bucket,
        coalesce(webacl, '-') as webacl,
        case
            when user_agent is null or user_agent = '' then 'none'
            when
                lower(user_agent) like '%mobile%'
                or lower(user_agent) like '%android%'
                or lower(user_agent) like '%iphone%'
                then 'mobile'
            when
                lower(user_agent) like '%bot%'
                or lower(user_agent) like '%crawl%'
                or lower(user_agent) like '%spider%'
                then 'bot'
            when
                lower(user_agent) like 'curl/%'
                or lower(user_agent) like 'wget/%'
                or lower(user_agent) like 'python%'
                or lower(user_agent) like 'go-http-client/%'
                or lower(user_agent) like 'java/%'
                then 'tool'
            when lower(user_agent) like 'mozilla/%' then 'browser'
            else 'other'
        end as client_family
    from waf.requests
    where
        event_time >= {{ start }}
        and event_time < {{ end }}
)

select
    bucket as "timestamp",
    webacl,
    client_family,
    count(*) as requests
from request
group by bucket, webacl, client_family
