-- waf.requests under the names that the Athena guide's table has for what is neither a list nor a
-- struct; members of httprequest are columns. A view cannot return a nested column of an external
-- table: a query walks them in its FROM, such as from waf.requests as r, r.labels as label.
create or replace view public.waf_logs as
select
    event_ms as "timestamp",
    format_version as formatversion,
    webacl_id as webaclid,
    terminating_rule_id as terminatingruleid,
    terminating_rule_type as terminatingruletype,
    action,
    source_name as httpsourcename,
    source_id as httpsourceid,
    cast(response_code_sent as varchar) as responsecodesent,
    client_ip as clientip,
    country,
    uri,
    args,
    http_version as httpversion,
    method as httpmethod,
    request_id as requestid,
    fragment,
    scheme,
    host,
    ja3_fingerprint as ja3fingerprint,
    ja4_fingerprint as ja4fingerprint,
    request_body_size as requestbodysize,
    request_body_size_inspected as requestbodysizeinspectedbywaf,
    to_char(event_time, 'YYYY/MM/DD/HH24/MI') as log_time,
    to_char(event_time, 'YYYY/MM/DD') as date,
    region,
    event_date,
    event_hour
from waf.requests
with no schema binding;
