-- Addresses blocked in several minutes: the AWS recipe's distinct blocked addresses per minute.
select
    client_ip,
    count(distinct date_trunc('minute', event_time)) as hits
from waf.requests
where
    event_time >= {{ start }}
    and event_time < {{ end }}
    and action = 'BLOCK'
    and coalesce(terminating_rule_id, '-') not like 'bartizan-%'
    and client_ip is not null
group by client_ip
having count(distinct date_trunc('minute', event_time)) >= 3
