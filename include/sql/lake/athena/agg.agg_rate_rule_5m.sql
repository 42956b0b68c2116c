create table if not exists agg.agg_rate_rule_5m (
    `bucket` timestamp,
    `event_date` date,
    `account_id` string,
    `region` string,
    `webacl` string,
    `rule` string,
    `limit_key` string,
    `max_rate` bigint,
    `window_s` bigint,
    `key_value` string,
    `is_other` boolean,
    `unique_keys` bigint,
    `evaluated` bigint,
    `triggered` bigint
)
partitioned by (`event_date`)
location 's3://amzn-s3-demo-bucket/lake/agg/agg_rate_rule_5m/'
tblproperties ('table_type' = 'ICEBERG');
