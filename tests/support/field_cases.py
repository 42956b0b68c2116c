"""The columns of one whole record, and how they differ for every other form of each field."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

ABSENT = object()
GUID = "385cb038-3a6f-4f2f-ac64-09ab912af590"
HASHED = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
DETAIL = {
    "condition_type": "SQL_INJECTION",
    "sensitivity_level": "HIGH",
    "location": "SINGLE_QUERY_ARG",
    "matched_data": ["1", "or", "1=1"],
    "matched_field_name": "q",
}
TOKEN = {"response_code": 405, "solve_timestamp": 0, "failure_reason": "TOKEN_MISSING"}
INNER = {
    "rule_id": "inner",
    "action": "COUNT",
    "overridden_action": "BLOCK",
    "rule_match_details": None,
    "captcha_response": TOKEN,
    "challenge_response": None,
}
GROUP = {
    "rule_group_id": "AWS#AWSManagedRulesCommonRuleSet",
    "terminating_rule": {
        "rule_id": "CrossSiteScripting_BODY",
        "action": "BLOCK",
        "overridden_action": None,
        "rule_match_details": None,
        "captcha_response": None,
        "challenge_response": None,
    },
    "non_terminating_matching_rules": [INNER],
    "excluded_rules": [
        {"exclusion_type": "EXCLUDED_AS_COUNT", "rule_id": "old", "rule_match_details": None}
    ],
    "customer_config": None,
    "rule_action_overrides": None,
}
RATE = {
    "rate_based_rule_id": "r-1",
    "rate_based_rule_name": "limit",
    "limit_key": "CUSTOMKEYS",
    "limit_value": "x",
    "max_rate_allowed": 100,
    "evaluation_window_sec": 300,
    "custom_values": [{"key": "HEADER", "name": "user-agent", "value": "curl"}],
}
# The record good(1) as it must land.
ROW: dict[str, Any] = {
    "event_time": datetime(2026, 11, 4, 0, 0, 1),
    "event_ms": 1_793_750_401_000,
    "event_date": datetime(2026, 11, 4).date(),
    "event_hour": 0,
    "account_id": "111122223333",
    "region": "cloudfront",
    "webacl": "shop_site",
    "webacl_id": "arn:aws:wafv2:us-east-1:111122223333:global/webacl/shop_site/47634e95-3f60-4b4a",
    "format_version": 1,
    "action": "BLOCK",
    "terminating_rule_id": "AWS-Common",
    "terminating_rule_type": "MANAGED_RULE_GROUP",
    "terminating_rule_match_details": [DETAIL],
    "source_name": "CF",
    "source_id": "E2EXAMPLE",
    "rule_groups": [GROUP],
    "rate_based_rules": [RATE],
    "non_terminating_matching_rules": [
        {
            "rule_id": "count-sqli",
            "action": "COUNT",
            "overridden_action": None,
            "rule_match_details": [DETAIL],
            "captcha_response": None,
            "challenge_response": None,
        }
    ],
    "request_headers_inserted": [{"name": "x-waf", "value": "1"}],
    "response_code_sent": 403,
    "client_ip": "198.51.100.1",
    "country": "NL",
    "headers": [
        {"name": "Host", "value": "Shop.example.com"},
        {"name": "User-Agent", "value": "ExampleClient/1.0"},
    ],
    "uri": '/é漢😀/{"timestamp":1}\\',
    "args": "a=[1]&b=}{&c=\r\n{",
    "fragment": "top",
    "http_version": "HTTP/2.0",
    "method": "GET",
    "request_id": "good-1",
    "scheme": "https",
    "host": "shop.example.com",
    "user_agent": "ExampleClient/1.0",
    "labels": ["awswaf:managed:aws:core-rule-set:CrossSiteScripting_Body"],
    "captcha_response": TOKEN,
    "challenge_response": TOKEN | {"response_code": 202},
    "ja3_fingerprint": "0" * 32,
    "ja4_fingerprint": "t13d1516h2_8daaf6152771_b186095e22b6",
    "client_asn": 64496,
    "forwarded_asn": 64497,
    "cf_distribution_tenant_id": "tenant",
    "oversize_fields": ["REQUEST_BODY"],
    "request_body_size": 20_000,
    "request_body_size_inspected": 8192,
    "extra": None,
}


@dataclass(frozen=True)
class Case:
    """Changes to the record, the columns that differ for it, what is in `extra`."""

    changes: dict[str, Any]
    columns: dict[str, Any]
    extra: dict[str, Any] | None = field(default=None)


def same(member: str, column: str, *forms: Any) -> Iterator[Case]:
    """Values that land as they are."""
    return (Case({member: form}, {column: form}) for form in forms)


def none(member: str, column: str, *forms: Any) -> Iterator[Case]:
    """Values that mean there is none."""
    return (Case({member: form}, {column: None}) for form in (None, *forms))


def number(member: str, column: str) -> Iterator[Case]:
    """An integer as text or with a fraction of zero; the largest that fits; none."""
    forms = {"12": 12, "+7": 7, "-3": -3, 12.0: 12, 2**31 - 1: 2**31 - 1, 0: 0}
    yield from (Case({member: form}, {column: want}) for form, want in forms.items())
    yield from none(member, column, ABSENT)


def acl(account: str, region: str, name: str, arn: str) -> Case:
    columns = {"account_id": account, "region": region, "webacl": name, "webacl_id": arn}
    return Case({"webaclId": arn}, columns)


def at(millisecond: int, *forms: Any) -> Iterator[Case]:
    time = datetime(2026, 11, 4, 0, 0, 1, millisecond * 1000)
    columns = {"event_ms": 1_793_750_401_000 + millisecond, "event_time": time}
    return (Case({"timestamp": form}, columns) for form in forms)


def group(**members: Any) -> dict[str, Any]:
    return {"rule_groups": [GROUP | members]}


def rate(**members: Any) -> dict[str, Any]:
    return {"rate_based_rules": [RATE | members]}


EXCLUDED = GROUP["excluded_rules"]
CHINA = f"arn:aws-cn:wafv2:cn-north-1:444455556666:regional/webacl/a_b-c/{GUID}"
UNNAMED = {"condition_type": None, "sensitivity_level": None, "matched_field_name": None}
CASES: tuple[Case, ...] = (
    *at(250, 1_793_750_401_250, "1793750401250", 1_793_750_401_250.0),
    *at(250, "2026-11-04T00:00:01.250Z", "2026-11-04 00:00:01.250", "2026-11-04T05:30:01.25+05:30"),
    Case({"Timestamp": 5}, {}, {"Timestamp": 5}),
    *number("formatVersion", "format_version"),
    acl("444455556666", "cn-north-1", "a_b-c", CHINA),
    acl("222233334444", "eu-west-1", GUID, GUID),
    *same("action", "action", "ALLOW", "CAPTCHA", "CHALLENGE", "NEW"),
    Case({"action": "block"}, {}),
    *same("terminatingRuleId", "terminating_rule_id", "Default_Action", ""),
    *same("terminatingRuleType", "terminating_rule_type", "RATE_BASED", "REGULAR", "GROUP", "NEW"),
    *none("terminatingRuleType", "terminating_rule_type", ABSENT),
    *none("terminatingRuleMatchDetails", "terminating_rule_match_details", ABSENT),
    *same("terminatingRuleMatchDetails", "terminating_rule_match_details", []),
    Case(
        {"terminatingRuleMatchDetails": [{"location": "UNKNOWN", "matchedData": []}]},
        {"terminating_rule_match_details": [UNNAMED | {"location": "UNKNOWN", "matched_data": []}]},
    ),
    Case(
        {"terminatingRuleMatchDetails.0.matchedFieldName": "REDACTED"},
        {"terminating_rule_match_details": [DETAIL | {"matched_field_name": "REDACTED"}]},
    ),
    *same("httpSourceName", "source_name", "ALB", "APIGW", "APPSYNC", "COGNITOIDP", "APPRUNNER"),
    *none("httpSourceName", "source_name", "-", ABSENT),
    *same("httpSourceId", "source_id", "111122223333-app/lb/50dc6c495c0c9188", "a:b:prod"),
    *none("httpSourceId", "source_id", "-"),
    *same("ruleGroupList", "rule_groups", []),
    *none("ruleGroupList", "rule_groups", ABSENT),
    Case({"ruleGroupList.0.terminatingRule": None}, group(terminating_rule=None)),
    Case({"ruleGroupList.0.excludedRules": None}, group(excluded_rules=None)),
    Case({"ruleGroupList.0.excludedRules": ABSENT}, group(excluded_rules=None)),
    Case({"ruleGroupList.0.excludedRules": []}, group(excluded_rules=[])),
    Case(
        {
            "ruleGroupList.0.excludedRules": (
                '[{"exclusiontype":"EXCLUDED_AS_COUNT","ruleid":"old","rulematchdetails":null}]'
            )
        },
        {},
    ),
    Case(
        {"ruleGroupList.0.excludedRules": "old"},
        group(excluded_rules=None),
        {"ruleGroupList[0].excludedRules": "old"},
    ),
    Case({"ruleGroupList.0.customerConfig": {"a": 1}}, group(customer_config='{"a":1}')),
    Case({"ruleGroupList.0.ruleActionOverrides": [1]}, group(rule_action_overrides="[1]")),
    Case({"ruleGroupList.0.ruleGroupId": "arn:x"}, group(rule_group_id="arn:x")),
    *same("rateBasedRuleList", "rate_based_rules", []),
    Case({"rateBasedRuleList.0.evaluationWindowSec": "120"}, rate(evaluation_window_sec=120)),
    Case({"rateBasedRuleList.0.evaluationWindowSec": ABSENT}, rate(evaluation_window_sec=None)),
    Case({"rateBasedRuleList.0.maxRateAllowed": "2000"}, rate(max_rate_allowed=2000)),
    Case({"rateBasedRuleList.0.limitValue": "INVALID"}, rate(limit_value="INVALID")),
    Case({"rateBasedRuleList.0.limitValue": ABSENT}, rate(limit_value=None)),
    Case({"rateBasedRuleList.0.customValues": ABSENT}, rate(custom_values=None)),
    Case(
        {"rateBasedRuleList.0.customValues": [{"key": "IP", "value": "192.0.2.1"}]},
        rate(custom_values=[{"key": "IP", "name": None, "value": "192.0.2.1"}]),
    ),
    Case(
        {"rateBasedRuleList": {"limit": {"limitKey": "IP"}, "other": {}}},
        {
            "rate_based_rules": [
                dict.fromkeys(RATE) | {"rate_based_rule_name": "limit", "limit_key": "IP"},
                dict.fromkeys(RATE) | {"rate_based_rule_name": "other"},
            ]
        },
    ),
    *same("nonTerminatingMatchingRules", "non_terminating_matching_rules", []),
    *none("nonTerminatingMatchingRules", "non_terminating_matching_rules", ABSENT),
    *none("requestHeadersInserted", "request_headers_inserted", ABSENT),
    Case(
        {"requestHeadersInserted": {"x-a": "1", "x-b": None}},
        {
            "request_headers_inserted": [
                {"name": "x-a", "value": "1"},
                {"name": "x-b", "value": None},
            ]
        },
    ),
    *number("responseCodeSent", "response_code_sent"),
    *same("httpRequest.clientIp", "client_ip", "2001:db8::1", "X.X.X.X", "192.0.2.7"),
    *same("httpRequest.country", "country", "IE", "XX"),
    *none("httpRequest.country", "country", "-"),
    Case(
        {"httpRequest.headers": [{"name": "x", "value": "1"}, {"name": "X", "myValue": "2"}]},
        {
            "headers": [{"name": "x", "value": "1"}, {"name": "X", "value": "2"}],
            "user_agent": None,
        },
    ),
    Case(
        {"httpRequest.headers": {"user-agent": "one", "x": None}},
        {
            "headers": [{"name": "user-agent", "value": "one"}, {"name": "x", "value": None}],
            "user_agent": "one",
        },
    ),
    *(
        Case({"httpRequest.headers": form}, {"headers": form, "user_agent": None})
        for form in (None, [])
    ),
    *same("httpRequest.uri", "uri", "REDACTED", "/a b", ""),
    *same("httpRequest.args", "args", "REDACTED", f"a={HASHED}", "", "a=%00\u0000\u001b"),
    *none("httpRequest.fragment", "fragment", ABSENT),
    *same("httpRequest.httpVersion", "http_version", "HTTP/1.1", "HTTP/3.0"),
    *same("httpRequest.httpMethod", "method", "REDACTED", "purge"),
    *same("httpRequest.requestId", "request_id", "null", "rid", "1-5f-a"),
    *none("httpRequest.requestId", "request_id", ABSENT),
    Case({"httpRequest.requestId": ABSENT, "httpRequest.requestID": "a"}, {"request_id": "a"}),
    Case({"httpRequest.requestId": None, "httpRequest.requestID": "a"}, {"request_id": "a"}),
    Case({"httpRequest.requestID": "a"}, {}, {"httpRequest.requestID": "a"}),
    Case({"httpRequest.requestID": None}, {}),
    Case({"httpRequest.requestId": 17}, {"request_id": "17"}),
    *none("httpRequest.scheme", "scheme", ABSENT),
    Case({"httpRequest.host": "Other.EXAMPLE.com"}, {"host": "other.example.com"}),
    *(Case({"httpRequest.host": form}, {}) for form in (None, "", ABSENT)),  # from its header
    *none("labels", "labels", ABSENT),
    *same("labels", "labels", []),
    Case({"labels": {"a:b": None, "c": {}}}, {"labels": ["a:b", "c"]}),
    Case({"labels": '[{"name":"a"}]'}, {"labels": ["a"]}),
    *none("captchaResponse", "captcha_response", ABSENT),
    Case(
        {"captchaResponse": {"responseCode": 0, "solveTimestamp": 1_700_000_000}},
        {
            "captcha_response": {
                "response_code": 0,
                "solve_timestamp": 1_700_000_000,
                "failure_reason": None,
            }
        },
    ),
    Case({"captchaResponse.responseCode": "405", "captchaResponse.solveTimestamp": "0"}, {}),
    *none("challengeResponse", "challenge_response", ABSENT),
    Case(
        {"challengeResponse.failureReason": ABSENT},
        {"challenge_response": TOKEN | {"response_code": 202, "failure_reason": None}},
    ),
    *none("ja3Fingerprint", "ja3_fingerprint", ABSENT),
    *none("ja4Fingerprint", "ja4_fingerprint", ABSENT),
    *number("clientAsn", "client_asn"),
    *number("forwardedAsn", "forwarded_asn"),
    Case({"clientAsn": ABSENT, "ClientASN": 64500}, {"client_asn": 64500}),
    Case({"forwardedAsn": ABSENT, "ForwardedASN": "64500"}, {"forwarded_asn": 64500}),
    *none("cfDistributionTenantId", "cf_distribution_tenant_id", ABSENT),
    *same("oversizeFields", "oversize_fields", ["REQUEST_HEADERS", "REQUEST_COOKIES"], []),
    Case({"oversizeFields": '["REQUEST_BODY"]'}, {}),
    *none("oversizeFields", "oversize_fields", ABSENT),
    *number("requestBodySize", "request_body_size"),
    *number("requestBodySizeInspectedByWAF", "request_body_size_inspected"),
    Case({"newField": {"a": [1, None]}}, {}, {"newField": {"a": [1, None]}}),
    Case({"httpRequest.body": 1}, {}, {"httpRequest.body": 1}),
)
