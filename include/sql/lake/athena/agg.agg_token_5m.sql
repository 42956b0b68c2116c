create table if not exists agg.agg_token_5m (
    `bucket` timestamp,
    `event_date` date,
    `account_id` string,
    `region` string,
    `webacl` string,
    `mechanism` string,
    `outcome` string,
    `method` string,
    `requests` bigint,
    `unique_ips` bigint
)
partitioned by (`event_date`)
location 's3://amzn-s3-demo-bucket/lake/agg/agg_token_5m/'
tblproperties ('table_type' = 'ICEBERG');
