create table if not exists agg.agg_rule_5m (
    `bucket` timestamp,
    `event_date` date,
    `account_id` string,
    `region` string,
    `webacl` string,
    `rule_group` string,
    `rule` string,
    `rule_action` string,
    `overridden_action` string,
    `terminating` boolean,
    `hits` bigint,
    `unique_ips` bigint,
    `unique_uris` bigint
)
partitioned by (`event_date`)
location 's3://amzn-s3-demo-bucket/lake/agg/agg_rule_5m/'
tblproperties ('table_type' = 'ICEBERG');
