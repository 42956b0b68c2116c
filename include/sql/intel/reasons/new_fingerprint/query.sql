-- Addresses behind a TLS fingerprint (JA4) that was first seen in the window's last six hours and
-- is at once among the busy ones.
with request as (
    select
        client_ip,
        ja4_fingerprint,
        event_time
    from waf.requests
    where
        event_time >= {{ start }}
        and event_time < {{ end }}
        and ja4_fingerprint is not null
        and client_ip is not null
        and coalesce(terminating_rule_id, '-') not like 'bartizan-%'
),

newcomer as (
    select ja4_fingerprint
    from request
    group by ja4_fingerprint
    having
        min(event_time) >= {{ end }} - interval '6' hour
        and min(event_time) >= {{ start }} + interval '6' hour
        and count(*) >= 1000
)

select
    request.client_ip,
    count(*) as hits
from request
inner join newcomer on request.ja4_fingerprint = newcomer.ja4_fingerprint
group by request.client_ip
having count(*) >= 50
