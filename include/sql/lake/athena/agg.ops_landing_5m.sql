create table if not exists agg.ops_landing_5m (
    `bucket` timestamp,
    `event_date` date,
    `account_id` string,
    `region` string,
    `webacl` string,
    `source_name` string,
    `requests` bigint,
    `objects` bigint,
    `batches` bigint,
    `minutes` bigint,
    `first_event` timestamp,
    `last_event` timestamp
)
partitioned by (`event_date`)
location 's3://amzn-s3-demo-bucket/lake/agg/ops_landing_5m/'
tblproperties ('table_type' = 'ICEBERG');
