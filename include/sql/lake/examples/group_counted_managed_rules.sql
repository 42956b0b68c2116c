-- Group all counted managed rules by the number of times matched
select
    count(*) as count,
    httpsourceid,
    httprequest.clientip,
    t.rulegroupid,
    t.nonterminatingmatchingrules
from waf_logs
cross join unnest(rulegrouplist) as t (t)
where action <> 'BLOCK' and cardinality(t.nonterminatingmatchingrules) > 0
group by
    t.nonterminatingmatchingrules, action, httpsourceid, httprequest.clientip, t.rulegroupid
order by count desc
limit 50
