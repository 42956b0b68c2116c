-- Group all counted custom rules by number of times matched
select
    count(*) as count,
    httpsourceid,
    httprequest.clientip,
    t.ruleid,
    t.action
from waf_logs
cross join unnest(nonterminatingmatchingrules) as t (t)
where waf_logs.action <> 'BLOCK' and cardinality(nonterminatingmatchingrules) > 0
group by t.ruleid, t.action, httpsourceid, httprequest.clientip
order by count desc
limit 50
