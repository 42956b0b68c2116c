create table if not exists agg.agg_action_1m (
    `bucket` timestamp,
    `event_date` date,
    `account_id` string,
    `region` string,
    `webacl` string,
    `source_name` string,
    `action` string,
    `requests` bigint,
    `body_bytes` bigint
)
partitioned by (`event_date`)
location 's3://amzn-s3-demo-bucket/lake/agg/agg_action_1m/'
tblproperties ('table_type' = 'ICEBERG');
