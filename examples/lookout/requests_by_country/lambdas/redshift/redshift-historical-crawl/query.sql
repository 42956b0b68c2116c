select t.bucket as timestamp, t.webacl, t.country, t.requests, t.blocked
from agg.agg_country_1h t
where t.webacl like ''shop%'' and t.bucket < dateadd(hour, -1, sysdate)
