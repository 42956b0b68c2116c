create table if not exists agg.agg_uri_5m (
    `bucket` timestamp,
    `event_date` date,
    `account_id` string,
    `region` string,
    `webacl` string,
    `host` string,
    `uri_template` string,
    `method` string,
    `is_other` boolean,
    `unique_uris` bigint,
    `requests` bigint,
    `blocked` bigint,
    `challenged` bigint,
    `unique_ips` bigint
)
partitioned by (`event_date`)
location 's3://amzn-s3-demo-bucket/lake/agg/agg_uri_5m/'
tblproperties ('table_type' = 'ICEBERG');
