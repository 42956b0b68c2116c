-- Addresses that a rate-based rule stopped.
select
    client_ip,
    count(*) as hits
from waf.requests
where
    event_time >= {{ start }}
    and event_time < {{ end }}
    and action in ('BLOCK', 'CAPTCHA', 'CHALLENGE')
    and terminating_rule_type = 'RATE_BASED'
    and coalesce(terminating_rule_id, '-') not like 'bartizan-%'
    and client_ip is not null
group by client_ip
having count(*) >= 50
