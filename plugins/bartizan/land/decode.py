"""Turns records into the columns of waf.requests with one SQL statement."""

from __future__ import annotations

import json

import duckdb
import pyarrow as pa

from bartizan.lake.schemas import REQUESTS
from bartizan.land.scrub import scrub_headers
from bartizan.land.shape import RECORD, json_structure

_HEADER = "list_filter(r.httpRequest.headers, lambda h: lower(h.name) = '{}')[1].value"

_SELECT = f"""
select
    make_timestamp(event_ms * 1000) as event_time,
    event_ms,
    cast(make_timestamp(event_ms * 1000) as date) as event_date,
    cast(event_ms // 3600000 % 24 as integer) as event_hour,
    case
        when is_arn then nullif(split_part(arn, ':', 5), '')
        else nullif(regexp_extract(source_object, '/AWSLogs/(?:o-\\w+/)?(\\d+)/WAFLogs/', 1), '')
    end as account_id,
    case
        when scope like 'global/%' then 'cloudfront'
        when is_arn then split_part(arn, ':', 4)
        else nullif(regexp_extract(source_object, '/WAFLogs/([^/]+)/', 1), '')
    end as region,
    case when is_arn then split_part(scope, '/', 3) else arn end as webacl,
    arn as webacl_id,
    r.formatVersion as format_version,
    upper(r.action) as action,
    r.terminatingRuleId as terminating_rule_id,
    r.terminatingRuleType as terminating_rule_type,
    r.terminatingRuleMatchDetails as terminating_rule_match_details,
    nullif(r.httpSourceName, '-') as source_name,
    nullif(r.httpSourceId, '-') as source_id,
    r.ruleGroupList as rule_groups,
    r.rateBasedRuleList as rate_based_rules,
    r.nonTerminatingMatchingRules as non_terminating_matching_rules,
    r.requestHeadersInserted as request_headers_inserted,
    r.responseCodeSent as response_code_sent,
    r.httpRequest.clientIp as client_ip,
    nullif(r.httpRequest.country, '-') as country,
    r.httpRequest.headers as headers,
    r.httpRequest.uri as uri,
    r.httpRequest.args as args,
    r.httpRequest.fragment as fragment,
    r.httpRequest.httpVersion as http_version,
    r.httpRequest.httpMethod as method,
    r.httpRequest.requestId as request_id,
    r.httpRequest.scheme as scheme,
    lower(coalesce(nullif(r.httpRequest.host, ''), {_HEADER.format("host")})) as host,
    {_HEADER.format("user-agent")} as user_agent,
    list_transform(r.labels, lambda l: l.name) as labels,
    r.captchaResponse as captcha_response,
    r.challengeResponse as challenge_response,
    r.ja3Fingerprint as ja3_fingerprint,
    r.ja4Fingerprint as ja4_fingerprint,
    r.clientAsn as client_asn,
    r.forwardedAsn as forwarded_asn,
    r.cfDistributionTenantId as cf_distribution_tenant_id,
    r.oversizeFields as oversize_fields,
    r.requestBodySize as request_body_size,
    r.requestBodySizeInspectedByWAF as request_body_size_inspected,
    extra,
    record_hash,
    source_object,
    source_offset,
    $batch_id as batch_id
from (
    select
        *,
        r.webaclId as arn,
        r.webaclId like 'arn:%' as is_arn,
        split_part(r.webaclId, ':', 6) as scope
    from (
        select
            * exclude (logged, canonical, clean),
            cast(cast(md5_number_lower(json(coalesce(canonical, logged))) as hugeint)
                - 9223372036854775808 as bigint) as record_hash,
            json_transform(coalesce(clean, logged), '{json.dumps(json_structure(RECORD))}') as r
        from records
    )
)
"""


def decode(connection: duckdb.DuckDBPyConnection, records: pa.Table, batch_id: str) -> pa.Table:
    """Rows of waf.requests for `records`, in the same order.

    `records` has the columns logged (the record's JSON), event_ms, source_object, source_offset
    and, for records that were mended and NULL for others: canonical (its JSON before), clean (its
    JSON in the documented shape), extra (what has no column).
    """
    connection.register("records", records)
    decoded = connection.sql(_SELECT, params={"batch_id": batch_id}).to_arrow_table()
    connection.unregister("records")
    columns = [
        renamed(decoded.column(field.name).combine_chunks(), field.type) for field in REQUESTS
    ]
    requests = pa.table(columns, schema=REQUESTS)
    position = REQUESTS.get_field_index("headers")
    scrubbed = scrub_headers(columns[position])
    return requests.set_column(position, REQUESTS.field("headers"), scrubbed)


def renamed(array: pa.Array, target: pa.DataType) -> pa.Array:
    """The same values as type `target`, whose nested members have other names. Copies nothing."""
    if array.type == target:
        return array
    if pa.types.is_map(target):
        return array.cast(target)
    if pa.types.is_list(target):
        own, children = 2, [renamed(array.values, target.value_type)]
    elif pa.types.is_struct(target):
        members = [target.field(index) for index in range(target.num_fields)]
        own = 1
        children = [renamed(array.field(i), member.type) for i, member in enumerate(members)]
    else:
        return array.cast(target)
    return pa.Array.from_buffers(
        target, len(array), array.buffers()[:own], array.null_count, array.offset, children
    )
