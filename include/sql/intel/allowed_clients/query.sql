-- How many requests of each client were allowed.
select
    client_ip,
    count(*) as allowed
from waf.requests
where
    event_time >= {{ start }}
    and event_time < {{ end }}
    and action = 'ALLOW'
group by client_ip
