-- Return the timestamp field in human-readable ISO 8601 format
select
    to_iso8601(from_unixtime("timestamp" / 1000)) as time_iso_8601,
    httpsourcename,
    httpsourceid,
    httprequest
from waf_logs
order by "timestamp"
limit 10
