-- Count the number of times a request from a specified country has been blocked
select
    count(httprequest.country) as count,
    httprequest.country
from waf_logs
where terminatingruletype = 'RATE_BASED' and httprequest.country = 'IE'
group by httprequest.country
order by count
limit 100
