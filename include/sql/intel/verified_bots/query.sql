-- Addresses of bots that AWS WAF Bot Control verified, whatever their user agent says.
-- Filtered after grouping: DuckDB joins, slowly, when a filter can move to the unnest of labels.
with labelled as (
    select
        request.client_ip,
        label.name as label
    from waf.requests as request
    cross join unnest(request.labels) as label (name)
    where
        request.event_time >= {{ start }}
        and request.event_time < {{ end }}
        and request.client_ip is not null
)

select client_ip
from labelled
group by client_ip
having sum(case when label = 'awswaf:managed:aws:bot-control:bot:verified' then 1 else 0 end) > 0
