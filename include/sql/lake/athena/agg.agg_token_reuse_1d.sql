create table if not exists agg.agg_token_reuse_1d (
    `bucket` timestamp,
    `event_date` date,
    `account_id` string,
    `region` string,
    `webacl` string,
    `token_label` string,
    `requests` bigint,
    `unique_ips` bigint,
    `unique_countries` bigint
)
partitioned by (`event_date`)
location 's3://amzn-s3-demo-bucket/lake/agg/agg_token_reuse_1d/'
tblproperties ('table_type' = 'ICEBERG');
