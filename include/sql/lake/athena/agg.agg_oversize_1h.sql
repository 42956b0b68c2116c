create table if not exists agg.agg_oversize_1h (
    `bucket` timestamp,
    `event_date` date,
    `account_id` string,
    `region` string,
    `webacl` string,
    `host` string,
    `uri` string,
    `is_other` boolean,
    `unique_uris` bigint,
    `requests` bigint,
    `uninspected_bytes` bigint
)
partitioned by (`event_date`)
location 's3://amzn-s3-demo-bucket/lake/agg/agg_oversize_1h/'
tblproperties ('table_type' = 'ICEBERG');
