-- What each suspect did: `suspects` is given, a row for each address of an address or a subnet.
select
    suspects.suspect as client_ip,
    count(*) as requests,
    sum(case when request.action in ('BLOCK', 'CAPTCHA', 'CHALLENGE') then 1 else 0 end) as blocked,
    count(
        distinct case when request.action in ('BLOCK', 'CAPTCHA', 'CHALLENGE') then request.uri end
    ) as uris,
    count(
        distinct case
            when request.action in ('BLOCK', 'CAPTCHA', 'CHALLENGE')
                then date_trunc('hour', request.event_time)
        end
    ) as hours,
    min(request.event_time) as first_seen,
    max(request.event_time) as last_seen
from waf.requests as request
inner join suspects on request.client_ip = suspects.client_ip
where
    request.event_time >= {{ start }}
    and request.event_time < {{ end }}
    and coalesce(request.terminating_rule_id, '-') not like 'bartizan-%'
group by suspects.suspect
