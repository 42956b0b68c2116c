create table if not exists waf.rule_hits (
    `event_time` timestamp,
    `event_ms` bigint,
    `event_date` date,
    `event_hour` int,
    `account_id` string,
    `region` string,
    `webacl` string,
    `request_action` string,
    `client_ip` string,
    `country` string,
    `host` string,
    `uri` string,
    `rule_group` string,
    `rule` string,
    `rule_action` string,
    `overridden_action` string,
    `terminating` boolean,
    `record_hash` bigint,
    `batch_id` string
)
partitioned by (`event_date`, `event_hour`)
location 's3://amzn-s3-demo-bucket/lake/waf/rule_hits/'
tblproperties ('table_type' = 'ICEBERG');
