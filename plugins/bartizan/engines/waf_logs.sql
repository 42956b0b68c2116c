-- waf.requests under the names and shapes of the table that the Athena guide creates for AWS WAF
-- logs, with the functions its example queries use. Members of match details, rate-based rules and
-- rules that the guide's table lacks are left out, as there; waf.requests has them.
create macro from_unixtime(seconds) as to_timestamp(seconds);

create macro to_iso8601(instant) as strftime(instant::timestamp, '%Y-%m-%dT%H:%M:%S.%gZ');

-- Joda's letters, as far as log times need them: yyyy MM dd HH mm ss
create macro written_datetime(instant, pattern) as replace(
    replace(
        replace(
            replace(
                replace(
                    replace(pattern, 'yyyy', strftime(instant::timestamp, '%Y')),
                    'MM', strftime(instant::timestamp, '%m')
                ),
                'dd', strftime(instant::timestamp, '%d')
            ),
            'HH', strftime(instant::timestamp, '%H')
        ),
        'mm', strftime(instant::timestamp, '%M')
    ),
    'ss', strftime(instant::timestamp, '%S')
);

create macro format_datetime(instant, pattern) as if(
    regexp_matches(written_datetime(instant, pattern), '[A-Za-z]'),
    error('format_datetime knows yyyy, MM, dd, HH, mm and ss, not ' || pattern),
    written_datetime(instant, pattern)
);

create macro match_details(details) as list_transform(
    details,
    lambda one: struct_pack(
        conditiontype := one.condition_type,
        sensitivitylevel := one.sensitivity_level,
        location := one.location,
        matcheddata := one.matched_data
    )
);

create macro token_response(response) as case
    when response is not null then struct_pack(
        responsecode := response.response_code::varchar,
        solvetimestamp := response.solve_timestamp::varchar
    )
end;

create macro token_failure(response) as case
    when response is not null then struct_pack(
        responsecode := response.response_code::varchar,
        solvetimestamp := response.solve_timestamp::varchar,
        failurereason := response.failure_reason
    )
end;

create macro excluded_rules(rules) as to_json(
    list_transform(
        rules,
        lambda one: struct_pack(exclusiontype := one.exclusion_type, ruleid := one.rule_id)
    )
)::varchar;

create view waf_logs as
select
    event_ms as "timestamp",
    format_version as formatversion,
    webacl_id as webaclid,
    terminating_rule_id as terminatingruleid,
    terminating_rule_type as terminatingruletype,
    "action",
    match_details(terminating_rule_match_details) as terminatingrulematchdetails,
    source_name as httpsourcename,
    source_id as httpsourceid,
    list_transform(
        rule_groups,
        lambda one: struct_pack(
            rulegroupid := one.rule_group_id,
            terminatingrule := case
                when one.terminating_rule is not null then struct_pack(
                    ruleid := one.terminating_rule.rule_id,
                    "action" := one.terminating_rule.action,
                    rulematchdetails := match_details(one.terminating_rule.rule_match_details)
                )
            end,
            nonterminatingmatchingrules := list_transform(
                one.non_terminating_matching_rules,
                lambda rule: struct_pack(
                    ruleid := rule.rule_id,
                    "action" := rule.action,
                    overriddenaction := rule.overridden_action,
                    rulematchdetails := match_details(rule.rule_match_details),
                    challengeresponse := token_response(rule.challenge_response),
                    captcharesponse := token_response(rule.captcha_response)
                )
            ),
            excludedrules := excluded_rules(one.excluded_rules)
        )
    ) as rulegrouplist,
    list_transform(
        rate_based_rules,
        lambda one: struct_pack(
            ratebasedruleid := one.rate_based_rule_id,
            limitkey := one.limit_key,
            maxrateallowed := one.max_rate_allowed
        )
    ) as ratebasedrulelist,
    list_transform(
        non_terminating_matching_rules,
        lambda rule: struct_pack(
            ruleid := rule.rule_id,
            "action" := rule.action,
            rulematchdetails := match_details(rule.rule_match_details),
            challengeresponse := token_response(rule.challenge_response),
            captcharesponse := token_response(rule.captcha_response)
        )
    ) as nonterminatingmatchingrules,
    request_headers_inserted as requestheadersinserted,
    response_code_sent::varchar as responsecodesent,
    struct_pack(
        clientip := client_ip,
        country := country,
        headers := headers,
        uri := uri,
        args := args,
        httpversion := http_version,
        httpmethod := method,
        requestid := request_id,
        fragment := fragment,
        scheme := scheme,
        host := host
    ) as httprequest,
    list_transform(labels, lambda label: struct_pack("name" := label)) as labels,
    token_failure(captcha_response) as captcharesponse,
    token_failure(challenge_response) as challengeresponse,
    ja3_fingerprint as ja3fingerprint,
    ja4_fingerprint as ja4fingerprint,
    to_json(oversize_fields)::varchar as oversizefields,
    request_body_size as requestbodysize,
    request_body_size_inspected as requestbodysizeinspectedbywaf,
    -- the partition columns of the guide's tables, past and present
    strftime(event_time, '%Y/%m/%d/%H/%M') as log_time,
    strftime(event_time, '%Y/%m/%d') as "date",
    region,
    event_date,
    event_hour
from waf.requests
where event_time >= {{ start }} and event_time < {{ end }};
