"""Turns records into the columns of waf.requests with one SQL statement."""

from __future__ import annotations

import json

import duckdb
import pyarrow as pa

from bartizan.lake.schemas import REQUESTS
from bartizan.land.redact import NO_KEY, Redaction
from bartizan.land.redact_rows import redact_rows
from bartizan.land.shape import RECORD, json_structure

_HEADER = "list_filter(r.httpRequest.headers, lambda h: lower(h.name) = '{}')[1].value"

_SELECT = f"""
select
    make_timestamp(event_ms * 1000) as event_time,
    event_ms,
    cast(make_timestamp(event_ms * 1000) as date) as event_date,
    cast(event_ms // 3600000 % 24 as integer) as event_hour,
    case when is_arn then nullif(split_part(arn, ':', 5), '') else source_account end as account_id,
    case
        when scope like 'global/%' then 'cloudfront'
        when is_arn then split_part(arn, ':', 4)
        else source_region
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
            * exclude (logged, clean),
            json_transform($record, '{json.dumps(json_structure(RECORD))}') as r
        from records
    )
)
"""


def decode(
    connection: duckdb.DuckDBPyConnection,
    records: pa.Table,
    batch_id: str,
    redaction: Redaction = NO_KEY,
) -> pa.Table:
    """Rows of waf.requests for `records`, in the same order.

    `records` has the columns logged (the record's JSON), clean (its JSON in the documented shape
    where it had to be mended, else NULL), extra (what has no column), event_ms, record_hash,
    source_object, source_account, source_region and source_offset.
    """
    mended = records.column("clean").null_count < len(records)
    query = _SELECT.replace("$record", "coalesce(clean, logged)" if mended else "logged")
    connection.register("records", records)
    decoded = connection.sql(query, params={"batch_id": batch_id}).to_arrow_table()
    connection.unregister("records")
    columns = [renamed(_whole(decoded.column(field.name)), field.type) for field in REQUESTS]
    return redact_rows(pa.table(columns, schema=REQUESTS), redaction)


def _whole(column: pa.ChunkedArray) -> pa.Array:
    """The column as one array; combine_chunks copies even where there is only one."""
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


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
