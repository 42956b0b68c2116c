-- Addresses that post to sign-in pages again and again, and those that AWS's account takeover
-- prevention names.
with attempt as (
    select client_ip
    from waf.requests
    where
        event_time >= {{ start }}
        and event_time < {{ end }}
        and method = 'POST'
        and (
            lower(uri) like '%login%'
            or lower(uri) like '%log-in%'
            or lower(uri) like '%signin%'
            or lower(uri) like '%sign-in%'
        )
        and coalesce(terminating_rule_id, '-') not like 'bartizan-%'
        and client_ip is not null
    union all
    select client_ip
    from waf.rule_hits
    where
        event_time >= {{ start }}
        and event_time < {{ end }}
        and rule in (
            'AttributeCompromisedCredentials',
            'AttributePasswordTraversal',
            'AttributeUsernameTraversal',
            'VolumetricIpHigh'
        )
        and client_ip is not null
)

select
    client_ip,
    count(*) as hits
from attempt
group by client_ip
having count(*) >= 100
