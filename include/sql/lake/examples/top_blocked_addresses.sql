-- Retrieve the top 100 IP addresses blocked during a specified date range
select
    httprequest.clientip,
    count(*) as ipcount,
    httprequest.country
from waf_logs
where
    action = 'BLOCK'
    and "date" >= '2026/11/01' and "date" < '2026/12/01'
group by httprequest.clientip, httprequest.country
order by ipcount desc
limit 100
