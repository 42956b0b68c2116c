-- Return records from the last 24 hours
select
    to_iso8601(from_unixtime("timestamp" / 1000)) as time_iso_8601,
    httpsourcename,
    httpsourceid,
    httprequest
from waf_logs
where from_unixtime("timestamp" / 1000) > now() - interval '1' day
order by "timestamp"
limit 10
