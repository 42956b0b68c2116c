-- Extract the top 100 IP addresses blocked by a specified rule type
select
    count(httprequest.clientip) as count,
    httprequest.clientip
from waf_logs
where
    terminatingruletype = 'RATE_BASED' and action = 'BLOCK'
    and "date" >= '2026/11/01' and "date" < '2026/12/01'
group by httprequest.clientip
order by count desc
limit 100
