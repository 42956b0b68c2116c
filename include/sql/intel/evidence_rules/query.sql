-- The rules that stopped each suspect, by web ACL: `suspects` is given, a row for each address of
-- an address or a subnet.
select distinct
    suspects.suspect as client_ip,
    coalesce(hit.webacl, '-') as webacl,
    hit.rule
from waf.rule_hits as hit
inner join suspects on hit.client_ip = suspects.client_ip
where
    hit.event_time >= {{ start }}
    and hit.event_time < {{ end }}
    and hit.terminating
    and hit.request_action in ('BLOCK', 'CAPTCHA', 'CHALLENGE')
    and hit.rule not like 'bartizan-%'
