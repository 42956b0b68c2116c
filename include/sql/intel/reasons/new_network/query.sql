-- Addresses behind a network (ASN) that was first seen in the window's last six hours and
-- is at once among the busy ones.
with request as (
    select
        client_ip,
        client_asn,
        event_time
    from waf.requests
    where
        event_time >= {{ start }}
        and event_time < {{ end }}
        and client_asn is not null
        and client_ip is not null
        and coalesce(terminating_rule_id, '-') not like 'bartizan-%'
),

newcomer as (
    select client_asn
    from request
    group by client_asn
    having
        min(event_time) >= {{ end }} - interval '6' hour
        and min(event_time) >= {{ start }} + interval '6' hour
        and count(*) >= 1000
)

select
    request.client_ip,
    count(*) as hits
from request
inner join newcomer on request.client_asn = newcomer.client_asn
group by request.client_ip
having count(*) >= 50
