-- Count the number of times a specific terminating rule ID has been matched
select
    count(*) as count,
    webaclid,
    action,
    httprequest.clientip,
    httprequest.uri
from waf_logs
where terminatingruleid = 'rate-by-ip'
group by webaclid, action, httprequest.clientip, httprequest.uri
order by count desc
limit 100
