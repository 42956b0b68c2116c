create table if not exists agg.agg_fingerprint_5m (
    `bucket` timestamp,
    `event_date` date,
    `account_id` string,
    `region` string,
    `webacl` string,
    `fingerprint_type` string,
    `fingerprint` string,
    `is_other` boolean,
    `unique_fingerprints` bigint,
    `requests` bigint,
    `allowed` bigint,
    `blocked` bigint,
    `unique_ips` bigint,
    `unique_user_agents` bigint
)
partitioned by (`event_date`)
location 's3://amzn-s3-demo-bucket/lake/agg/agg_fingerprint_5m/'
tblproperties ('table_type' = 'ICEBERG');
