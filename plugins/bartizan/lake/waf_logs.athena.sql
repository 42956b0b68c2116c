-- sqlfluff:dialect:trino
-- waf.requests under the names and shapes of the table that the Athena guide creates for AWS WAF
-- logs. Members of match details, rate-based rules and rules that the guide's table lacks are left
-- out, as there; waf.requests has them. Filters on event_date and event_hour read fewer files;
-- those on log_time, "date" and "timestamp" do not.
create or replace view waf.waf_logs as
select
    event_ms as "timestamp",
    format_version as formatversion,
    webacl_id as webaclid,
    terminating_rule_id as terminatingruleid,
    terminating_rule_type as terminatingruletype,
    action,
    cast(
        transform(
            terminating_rule_match_details,
            one -> row(
                one.condition_type, one.sensitivity_level, one.location, one.matched_data
            )
        ) as array(
            row(
                conditiontype varchar,
                sensitivitylevel varchar,
                location varchar,
                matcheddata array(varchar)
            )
        )
    ) as terminatingrulematchdetails,
    source_name as httpsourcename,
    source_id as httpsourceid,
    cast(
        transform(
            rule_groups,
            one -> row(
                one.rule_group_id,
                case
                    when one.terminating_rule is not null
                        then row(
                            one.terminating_rule.rule_id,
                            one.terminating_rule.action,
                            transform(
                                one.terminating_rule.rule_match_details,
                                detail -> row(
                                    detail.condition_type,
                                    detail.sensitivity_level,
                                    detail.location,
                                    detail.matched_data
                                )
                            )
                        )
                end,
                transform(
                    one.non_terminating_matching_rules,
                    matched -> row(
                        matched.rule_id,
                        matched.action,
                        matched.overridden_action,
                        transform(
                            matched.rule_match_details,
                            detail -> row(
                                detail.condition_type,
                                detail.sensitivity_level,
                                detail.location,
                                detail.matched_data
                            )
                        ),
                        case
                            when matched.challenge_response is not null
                                then row(
                                    matched.challenge_response.response_code,
                                    matched.challenge_response.solve_timestamp
                                )
                        end,
                        case
                            when matched.captcha_response is not null
                                then row(
                                    matched.captcha_response.response_code,
                                    matched.captcha_response.solve_timestamp
                                )
                        end
                    )
                ),
                json_format(
                    cast(
                        cast(
                            transform(
                                one.excluded_rules,
                                excluded -> row(excluded.exclusion_type, excluded.rule_id)
                            ) as array(row(exclusiontype varchar, ruleid varchar))
                        ) as json
                    )
                )
            )
        ) as array(
            row(
                rulegroupid varchar,
                terminatingrule row(
                    ruleid varchar,
                    action varchar,
                    rulematchdetails array(
                        row(
                            conditiontype varchar,
                            sensitivitylevel varchar,
                            location varchar,
                            matcheddata array(varchar)
                        )
                    )
                ),
                nonterminatingmatchingrules array(
                    row(
                        ruleid varchar,
                        action varchar,
                        overriddenaction varchar,
                        rulematchdetails array(
                            row(
                                conditiontype varchar,
                                sensitivitylevel varchar,
                                location varchar,
                                matcheddata array(varchar)
                            )
                        ),
                        challengeresponse row(responsecode varchar, solvetimestamp varchar),
                        captcharesponse row(responsecode varchar, solvetimestamp varchar)
                    )
                ),
                excludedrules varchar
            )
        )
    ) as rulegrouplist,
    cast(
        transform(
            rate_based_rules,
            one -> row(one.rate_based_rule_id, one.limit_key, one.max_rate_allowed)
        ) as array(row(ratebasedruleid varchar, limitkey varchar, maxrateallowed bigint))
    ) as ratebasedrulelist,
    cast(
        transform(
            non_terminating_matching_rules,
            matched -> row(
                matched.rule_id,
                matched.action,
                transform(
                    matched.rule_match_details,
                    detail -> row(
                        detail.condition_type,
                        detail.sensitivity_level,
                        detail.location,
                        detail.matched_data
                    )
                ),
                case
                    when matched.challenge_response is not null
                        then row(
                            matched.challenge_response.response_code,
                            matched.challenge_response.solve_timestamp
                        )
                end,
                case
                    when matched.captcha_response is not null
                        then row(
                            matched.captcha_response.response_code,
                            matched.captcha_response.solve_timestamp
                        )
                end
            )
        ) as array(
            row(
                ruleid varchar,
                action varchar,
                rulematchdetails array(
                    row(
                        conditiontype varchar,
                        sensitivitylevel varchar,
                        location varchar,
                        matcheddata array(varchar)
                    )
                ),
                challengeresponse row(responsecode varchar, solvetimestamp varchar),
                captcharesponse row(responsecode varchar, solvetimestamp varchar)
            )
        )
    ) as nonterminatingmatchingrules,
    request_headers_inserted as requestheadersinserted,
    cast(response_code_sent as varchar) as responsecodesent,
    cast(
        row(
            client_ip,
            country,
            headers,
            uri,
            args,
            http_version,
            method,
            request_id,
            fragment,
            scheme,
            host
        ) as row(
            clientip varchar,
            country varchar,
            headers array(row(name varchar, value varchar)),
            uri varchar,
            args varchar,
            httpversion varchar,
            httpmethod varchar,
            requestid varchar,
            fragment varchar,
            scheme varchar,
            host varchar
        )
    ) as httprequest,
    cast(transform(labels, one -> row(one)) as array(row(name varchar))) as labels,
    case
        when captcha_response is not null
            then cast(
                row(
                    captcha_response.response_code,
                    captcha_response.solve_timestamp,
                    captcha_response.failure_reason
                ) as row(responsecode varchar, solvetimestamp varchar, failurereason varchar)
            )
    end as captcharesponse,
    case
        when challenge_response is not null
            then cast(
                row(
                    challenge_response.response_code,
                    challenge_response.solve_timestamp,
                    challenge_response.failure_reason
                ) as row(responsecode varchar, solvetimestamp varchar, failurereason varchar)
            )
    end as challengeresponse,
    ja3_fingerprint as ja3fingerprint,
    ja4_fingerprint as ja4fingerprint,
    json_format(cast(oversize_fields as json)) as oversizefields,
    request_body_size as requestbodysize,
    request_body_size_inspected as requestbodysizeinspectedbywaf,
    -- the partition columns of the guide's tables, past and present
    format_datetime(event_time, 'yyyy/MM/dd/HH/mm') as log_time,
    format_datetime(event_time, 'yyyy/MM/dd') as "date",
    region,
    event_date,
    event_hour
from waf.requests;
