create table if not exists waf.quarantine (
    `source_object` string,
    `source_offset` bigint,
    `length` bigint,
    `reason` string,
    `raw` string,
    `batch_id` string
)
location 's3://amzn-s3-demo-bucket/lake/waf/quarantine/'
tblproperties ('table_type' = 'ICEBERG');
