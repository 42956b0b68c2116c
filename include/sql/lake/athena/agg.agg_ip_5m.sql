create table if not exists agg.agg_ip_5m (
    `bucket` timestamp,
    `event_date` date,
    `account_id` string,
    `region` string,
    `webacl` string,
    `client_ip` string,
    `is_other` boolean,
    `country` string,
    `unique_ips` bigint,
    `requests` bigint,
    `allowed` bigint,
    `blocked` bigint,
    `captcha` bigint,
    `challenged` bigint,
    `rate_blocked` bigint,
    `peak_per_minute` bigint,
    `unique_uris` bigint,
    `first_seen` timestamp,
    `last_seen` timestamp
)
partitioned by (`event_date`)
location 's3://amzn-s3-demo-bucket/lake/agg/agg_ip_5m/'
tblproperties ('table_type' = 'ICEBERG');
