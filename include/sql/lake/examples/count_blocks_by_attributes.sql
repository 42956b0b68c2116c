-- Count the number of times a request has been blocked, grouping by specific attributes
select
    count(*) as count,
    webaclid,
    terminatingruleid,
    httprequest.clientip,
    httprequest.uri
from waf_logs
where action = 'BLOCK'
group by webaclid, terminatingruleid, httprequest.clientip, httprequest.uri
order by count desc
limit 100
