-- IPv6 clients and how often each was stopped: those of one /64 may be one attacker.
select
    client_ip,
    sum(case when action in ('BLOCK', 'CAPTCHA', 'CHALLENGE') then 1 else 0 end) as blocked
from waf.requests
where
    event_time >= {{ start }}
    and event_time < {{ end }}
    and client_ip like '%:%'
    and coalesce(terminating_rule_id, '-') not like 'bartizan-%'
group by client_ip
