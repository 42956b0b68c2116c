-- sqlfluff:dialect:redshift
-- Redshift joins a row with the elements of its own array, by its alias.
select distinct request.client_ip
from waf.requests as request, request.labels as label
where
    request.event_time >= {{ start }}
    and request.event_time < {{ end }}
    and request.client_ip is not null
    and label = 'awswaf:managed:aws:bot-control:bot:verified'
