"""Makes the columns of waf.requests from what was found in the text of records."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bartizan.lake.schemas import REQUESTS
from bartizan.land.columns import Columns
from bartizan.land.framing import Ints
from bartizan.land.nested import with_children
from bartizan.land.redact import NO_KEY, Redaction
from bartizan.land.redact_rows import redacted

_HOUR_MS = 3_600_000
_DAY_MS = 24 * _HOUR_MS

_AS_LOGGED = {  # column: path of the member
    "format_version": ("formatVersion",),
    "terminating_rule_id": ("terminatingRuleId",),
    "terminating_rule_type": ("terminatingRuleType",),
    "terminating_rule_match_details": ("terminatingRuleMatchDetails",),
    "rule_groups": ("ruleGroupList",),
    "rate_based_rules": ("rateBasedRuleList",),
    "non_terminating_matching_rules": ("nonTerminatingMatchingRules",),
    "request_headers_inserted": ("requestHeadersInserted",),
    "response_code_sent": ("responseCodeSent",),
    "client_ip": ("httpRequest", "clientIp"),
    "headers": ("httpRequest", "headers"),
    "uri": ("httpRequest", "uri"),
    "args": ("httpRequest", "args"),
    "fragment": ("httpRequest", "fragment"),
    "http_version": ("httpRequest", "httpVersion"),
    "method": ("httpRequest", "httpMethod"),
    "request_id": ("httpRequest", "requestId"),
    "scheme": ("httpRequest", "scheme"),
    "captcha_response": ("captchaResponse",),
    "challenge_response": ("challengeResponse",),
    "ja3_fingerprint": ("ja3Fingerprint",),
    "ja4_fingerprint": ("ja4Fingerprint",),
    "client_asn": ("clientAsn",),
    "forwarded_asn": ("forwardedAsn",),
    "cf_distribution_tenant_id": ("cfDistributionTenantId",),
    "oversize_fields": ("oversizeFields",),
    "request_body_size": ("requestBodySize",),
    "request_body_size_inspected": ("requestBodySizeInspectedByWAF",),
}
_WITH_DASH = {  # column: path of a text that is "-" where there is nothing to say
    "source_name": ("httpSourceName",),
    "source_id": ("httpSourceId",),
    "country": ("httpRequest", "country"),
}
_TEXT = pa.string()
_LABELS = pa.list_(pa.struct({"name": pa.string()}))


@dataclass(frozen=True)
class About:
    """What is known of records beside their columns, one element each."""

    webacl: pa.DictionaryArray
    extra: pa.Array  # what has no column
    record_hash: Ints
    source_object: pa.Array
    source_account: pa.Array
    source_region: pa.Array
    source_offset: Ints


def in_order(columns: Columns, records: Ints) -> tuple[Ints, pa.DictionaryArray]:
    """The numbers of `records` in order of hour, web ACL and time, and their web ACLs."""
    event_ms = columns.integers("timestamp")[records]
    webacl = columns.column(("webaclId",), _TEXT, records).dictionary_encode()
    names = webacl.dictionary.to_pylist()
    rank = np.argsort(np.argsort(names)) if names else np.empty(0, np.int64)
    of_record = np.append(rank, -1)[pc.fill_null(webacl.indices, -1).to_numpy()]
    order = np.lexsort((event_ms, of_record, event_ms // _HOUR_MS))
    return records[order], webacl.take(order)


def decode(
    columns: Columns, records: Ints, about: About, batch_id: str, redaction: Redaction = NO_KEY
) -> pa.Table:
    """Rows of waf.requests for the records of these numbers, in this order, without secrets."""
    event_ms = columns.integers("timestamp")[records]

    def texts(*path: str) -> pa.Array:
        return columns.column(path, _TEXT, records)

    made = {
        name: columns.column(path, REQUESTS.field(name).type, records)
        for name, path in _AS_LOGGED.items()
    }
    made |= {name: _without(texts(*path), "-") for name, path in _WITH_DASH.items()}
    made |= _of_web_acl(about)
    host = _without(texts("httpRequest", "host"), "")
    if host.null_count:  # older logs have it among the headers only
        host = pc.coalesce(host, _header("host", made["headers"]))
    labels = columns.column(("labels",), _LABELS, records)
    made |= {
        "event_time": pa.array(event_ms * 1000, pa.timestamp("us")),
        "event_ms": pa.array(event_ms),
        "event_date": pa.array((event_ms // _DAY_MS).astype(np.int32), pa.date32()),
        "event_hour": pa.array((event_ms // _HOUR_MS % 24).astype(np.int32)),
        "action": _folded(texts("action"), pc.utf8_upper),
        "host": _folded(host, pc.utf8_lower),
        "user_agent": _header("user-agent", made["headers"]),
        "labels": _names_only(labels),
        "extra": about.extra,
        "record_hash": pa.array(about.record_hash),
        "source_object": about.source_object,
        "source_offset": pa.array(about.source_offset),
        "batch_id": pa.repeat(batch_id, len(records)),
    }
    made |= redacted(made, redaction)
    return pa.table([made[name] for name in REQUESTS.names], schema=REQUESTS)


@dataclass(frozen=True)
class _WebAcl:
    """What the id of a web ACL says: an ARN, or a bare GUID of AWS WAF Classic."""

    is_arn: bool
    account: str | None
    region: str | None
    name: str

    @classmethod
    def of(cls, webacl_id: str) -> _WebAcl:
        is_arn = webacl_id.startswith("arn:")
        scope = _part(webacl_id, ":", 6)
        region = _part(webacl_id, ":", 4) if is_arn else None
        return cls(
            is_arn=is_arn,
            account=_part(webacl_id, ":", 5) or None,
            region="cloudfront" if scope.startswith("global/") else region,
            name=_part(scope, "/", 3) if is_arn else webacl_id,
        )


def _part(text: str, separator: str, place: int) -> str:
    """The part at a place, counted from 1; empty where there are not so many."""
    parts = text.split(separator)
    return parts[place - 1] if place <= len(parts) else ""


def _of_web_acl(about: About) -> dict[str, pa.Array]:
    known = [_WebAcl.of(one) for one in about.webacl.dictionary.to_pylist()]

    def each(name: str, kind: pa.DataType) -> pa.Array:
        return pa.array([getattr(one, name) for one in known], kind).take(about.webacl.indices)

    is_arn = pc.fill_null(each("is_arn", pa.bool_()), False)
    return {
        "account_id": pc.if_else(is_arn, each("account", _TEXT), about.source_account),
        "region": pc.coalesce(each("region", _TEXT), about.source_region),
        "webacl": each("name", _TEXT),
        "webacl_id": about.webacl.dictionary_decode(),
    }


def _without(texts: pa.Array, nothing: str) -> pa.Array:
    """The texts, NULL where they say nothing."""
    empty = pc.fill_null(pc.equal(texts, nothing), False)
    return pc.if_else(empty, None, texts) if pc.any(empty).as_py() else texts


def _folded(texts: pa.Array, fold: Callable[[pa.Array], pa.Array]) -> pa.Array:
    """The texts in upper or lower case; there are few different ones."""
    different = texts.dictionary_encode()
    return fold(different.dictionary).take(different.indices)


def _header(name: str, headers: pa.Array) -> pa.Array:
    """The value of the first header of this name, in any case, of each record."""
    inside = headers.values
    different = inside.field("name").dictionary_encode()
    named = pc.equal(pc.utf8_lower(different.dictionary), name)
    places = np.flatnonzero(pc.fill_null(named.take(different.indices), False))
    records, first = np.unique(
        np.searchsorted(headers.offsets, places, side="right") - 1, return_index=True
    )
    chosen = np.full(len(headers), -1)
    chosen[records] = places[first]
    return inside.field("value").take(pa.array(chosen, mask=chosen < 0))


def _names_only(labels: pa.Array) -> pa.Array:
    """Lists of names from lists of objects that have nothing else."""
    names = labels.values.field("name")
    return with_children(labels, REQUESTS.field("labels").type, [names])
