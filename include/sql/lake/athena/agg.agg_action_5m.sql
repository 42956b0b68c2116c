create table if not exists agg.agg_action_5m (
    `bucket` timestamp,
    `event_date` date,
    `account_id` string,
    `region` string,
    `webacl` string,
    `source_name` string,
    `action` string,
    `requests` bigint,
    `unique_ips` bigint,
    `body_bytes` bigint
)
partitioned by (`event_date`)
location 's3://amzn-s3-demo-bucket/lake/agg/agg_action_5m/'
tblproperties ('table_type' = 'ICEBERG');
