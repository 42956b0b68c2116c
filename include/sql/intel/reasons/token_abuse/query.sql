-- Addresses whose CAPTCHA or challenge tokens are forged or taken from another site. A missing or
-- expired token is what every new visitor has.
select
    request.client_ip,
    count(*) as hits
from waf.requests as request
where
    request.event_time >= {{ start }}
    and request.event_time < {{ end }}
    and (
        request.captcha_response.failure_reason in ('TOKEN_INVALID', 'TOKEN_DOMAIN_MISMATCH')
        or request.challenge_response.failure_reason in ('TOKEN_INVALID', 'TOKEN_DOMAIN_MISMATCH')
    )
    and coalesce(request.terminating_rule_id, '-') not like 'bartizan-%'
    and request.client_ip is not null
group by request.client_ip
having count(*) >= 20
