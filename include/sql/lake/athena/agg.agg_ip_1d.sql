create table if not exists agg.agg_ip_1d (
    `bucket` timestamp,
    `event_date` date,
    `account_id` string,
    `region` string,
    `webacl` string,
    `client_ip` string,
    `is_other` boolean,
    `unique_ips` bigint,
    `requests` bigint,
    `allowed` bigint,
    `blocked` bigint,
    `blocking_rules` bigint,
    `first_seen` timestamp,
    `last_seen` timestamp
)
partitioned by (`event_date`)
location 's3://amzn-s3-demo-bucket/lake/agg/agg_ip_1d/'
tblproperties ('table_type' = 'ICEBERG');
