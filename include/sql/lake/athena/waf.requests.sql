create table if not exists waf.requests (
    `event_time` timestamp,
    `event_ms` bigint,
    `event_date` date,
    `event_hour` int,
    `account_id` string,
    `region` string,
    `webacl` string,
    `webacl_id` string,
    `format_version` int,
    `action` string,
    `terminating_rule_id` string,
    `terminating_rule_type` string,
    `terminating_rule_match_details` array<struct<
        condition_type: string,
        sensitivity_level: string,
        location: string,
        matched_data: array<string>,
        matched_field_name: string
    >>,
    `source_name` string,
    `source_id` string,
    `rule_groups` array<struct<
        rule_group_id: string,
        terminating_rule: struct<
            rule_id: string,
            action: string,
            overridden_action: string,
            rule_match_details: array<struct<
                condition_type: string,
                sensitivity_level: string,
                location: string,
                matched_data: array<string>,
                matched_field_name: string
            >>,
            captcha_response: struct<
                response_code: int,
                solve_timestamp: bigint,
                failure_reason: string
            >,
            challenge_response: struct<
                response_code: int,
                solve_timestamp: bigint,
                failure_reason: string
            >
        >,
        non_terminating_matching_rules: array<struct<
            rule_id: string,
            action: string,
            overridden_action: string,
            rule_match_details: array<struct<
                condition_type: string,
                sensitivity_level: string,
                location: string,
                matched_data: array<string>,
                matched_field_name: string
            >>,
            captcha_response: struct<
                response_code: int,
                solve_timestamp: bigint,
                failure_reason: string
            >,
            challenge_response: struct<
                response_code: int,
                solve_timestamp: bigint,
                failure_reason: string
            >
        >>,
        excluded_rules: array<struct<
            exclusion_type: string,
            rule_id: string,
            rule_match_details: array<struct<
                condition_type: string,
                sensitivity_level: string,
                location: string,
                matched_data: array<string>,
                matched_field_name: string
            >>
        >>,
        customer_config: string,
        rule_action_overrides: string
    >>,
    `rate_based_rules` array<struct<
        rate_based_rule_id: string,
        rate_based_rule_name: string,
        limit_key: string,
        limit_value: string,
        max_rate_allowed: bigint,
        evaluation_window_sec: bigint,
        custom_values: array<struct<key: string, name: string, value: string>>
    >>,
    `non_terminating_matching_rules` array<struct<
        rule_id: string,
        action: string,
        overridden_action: string,
        rule_match_details: array<struct<
            condition_type: string,
            sensitivity_level: string,
            location: string,
            matched_data: array<string>,
            matched_field_name: string
        >>,
        captcha_response: struct<
            response_code: int,
            solve_timestamp: bigint,
            failure_reason: string
        >,
        challenge_response: struct<
            response_code: int,
            solve_timestamp: bigint,
            failure_reason: string
        >
    >>,
    `request_headers_inserted` array<struct<name: string, value: string>>,
    `response_code_sent` int,
    `client_ip` string,
    `country` string,
    `headers` array<struct<name: string, value: string>>,
    `uri` string,
    `args` string,
    `fragment` string,
    `http_version` string,
    `method` string,
    `request_id` string,
    `scheme` string,
    `host` string,
    `user_agent` string,
    `labels` array<string>,
    `captcha_response` struct<
        response_code: int,
        solve_timestamp: bigint,
        failure_reason: string
    >,
    `challenge_response` struct<
        response_code: int,
        solve_timestamp: bigint,
        failure_reason: string
    >,
    `ja3_fingerprint` string,
    `ja4_fingerprint` string,
    `client_asn` bigint,
    `forwarded_asn` bigint,
    `cf_distribution_tenant_id` string,
    `oversize_fields` array<string>,
    `request_body_size` bigint,
    `request_body_size_inspected` bigint,
    `extra` map<string, string>,
    `record_hash` bigint,
    `source_object` string,
    `source_offset` bigint,
    `batch_id` string
)
partitioned by (`event_date`, `event_hour`)
location 's3://amzn-s3-demo-bucket/lake/waf/requests/'
tblproperties ('table_type' = 'ICEBERG');
