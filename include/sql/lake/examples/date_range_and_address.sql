-- Return records for a specified date range and IP address
select *
from waf_logs
where
    httprequest.clientip = '198.51.100.3'
    and "date" >= '2026/11/01' and "date" < '2026/12/01'
