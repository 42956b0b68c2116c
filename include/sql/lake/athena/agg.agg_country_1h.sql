create table if not exists agg.agg_country_1h (
    `bucket` timestamp,
    `event_date` date,
    `account_id` string,
    `region` string,
    `webacl` string,
    `country` string,
    `requests` bigint,
    `blocked` bigint,
    `allowed` bigint,
    `unique_ips` bigint
)
partitioned by (`event_date`)
location 's3://amzn-s3-demo-bucket/lake/agg/agg_country_1h/'
tblproperties ('table_type' = 'ICEBERG');
