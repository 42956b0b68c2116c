"""Log records as the table shows them that the Athena guide creates for AWS WAF logs."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlglot import exp
from waf_logs import record

Row = dict[str, Any]

# Before, at the ends of and after the queries' month, and on both sides of their days until now.
STARTS = (
    datetime(2026, 10, 31, 23, 50, tzinfo=UTC),
    datetime(2026, 11, 3, 23, 56, tzinfo=UTC),
    datetime(2026, 11, 12, 23, 57, tzinfo=UTC),
    datetime(2026, 11, 13, 12, 0, tzinfo=UTC),
    datetime(2026, 11, 30, 23, 58, tzinfo=UTC),
)
EACH = 12  # records from each start, one a minute

DETAILS = (
    "array<struct<conditiontype:string,sensitivitylevel:string,location:string,"
    "matcheddata:array<string>>>"
)
RESPONSES = (
    "challengeresponse:struct<responsecode:string,solvetimestamp:string>,"
    "captcharesponse:struct<responsecode:string,solvetimestamp:string>"
)
FAILURE = "struct<responsecode:string,solvetimestamp:string,failurereason:string>"
PUBLISHED = {
    "timestamp": "bigint",
    "formatversion": "int",
    "webaclid": "string",
    "terminatingruleid": "string",
    "terminatingruletype": "string",
    "action": "string",
    "terminatingrulematchdetails": DETAILS,
    "httpsourcename": "string",
    "httpsourceid": "string",
    "rulegrouplist": (
        "array<struct<rulegroupid:string,"
        f"terminatingrule:struct<ruleid:string,action:string,rulematchdetails:{DETAILS}>,"
        "nonterminatingmatchingrules:array<struct<ruleid:string,action:string,"
        f"overriddenaction:string,rulematchdetails:{DETAILS},{RESPONSES}>>,excludedrules:string>>"
    ),
    "ratebasedrulelist": (
        "array<struct<ratebasedruleid:string,limitkey:string,maxrateallowed:int>>"
    ),
    "nonterminatingmatchingrules": (
        f"array<struct<ruleid:string,action:string,rulematchdetails:{DETAILS},{RESPONSES}>>"
    ),
    "requestheadersinserted": "array<struct<name:string,value:string>>",
    "responsecodesent": "string",
    "httprequest": (
        "struct<clientip:string,country:string,headers:array<struct<name:string,value:string>>,"
        "uri:string,args:string,httpversion:string,httpmethod:string,requestid:string,"
        "fragment:string,scheme:string,host:string>"
    ),
    "labels": "array<struct<name:string>>",
    "captcharesponse": FAILURE,
    "challengeresponse": FAILURE,
    "ja3fingerprint": "string",
    "ja4fingerprint": "string",
    "oversizefields": "string",
    "requestbodysize": "int",
    "requestbodysizeinspectedbywaf": "int",
}


def log_record(number: int) -> Row:
    """One of the records: what the queries look for is in some of them, and not in others."""
    start, minute = STARTS[number // EACH], number % EACH
    one = record(number)
    one["timestamp"] = int((start + timedelta(minutes=minute)).timestamp()) * 1000
    blocked = number % 3 == 0
    one["action"] = "BLOCK" if blocked else "ALLOW"
    one["terminatingRuleId"] = "rate-by-ip" if number % 2 else "Default_Action"
    one["terminatingRuleType"] = "RATE_BASED" if number % 2 else "REGULAR"
    request = one["httpRequest"]
    request |= {
        "clientIp": f"198.51.100.{number % 5}",
        "country": "IE" if number % 4 else "NL",
        "uri": f"/item/{number % 2}",
        "fragment": "top",
        "scheme": "https",
        "host": "shop.example.com",
    }
    request["headers"] += [
        {"name": "Referer", "value": f"https://{'amazon' if number % 3 else 'other'}.example/"},
        {"name": "X-Forwarded-For", "value": f"203.0.113.{number % 3}"},
    ]
    [group] = one["ruleGroupList"]
    if not blocked:
        group["terminatingRule"] = None
    if number % 5 == 0:
        group["excludedRules"] = [{"exclusionType": "EXCLUDED_AS_COUNT", "ruleId": "NoUserAgent"}]
    if number % 7 == 0:
        group["nonTerminatingMatchingRules"] = one["nonTerminatingMatchingRules"]
        one["nonTerminatingMatchingRules"] = []
    if number % 6 == 0:
        answer = {"responseCode": 405, "solveTimestamp": 1_793_750_400}
        one["captchaResponse"] = answer | {"failureReason": "TOKEN_MISSING"}
        one["nonTerminatingMatchingRules"] = [
            {"ruleId": "solved", "action": "CAPTCHA", "ruleMatchDetails": [],
             "captchaResponse": answer | {"responseCode": 0}}
        ]  # fmt: skip
        one["responseCodeSent"] = 405
        one["oversizeFields"] = ["REQUEST_BODY", "REQUEST_HEADERS"]
        one |= {"requestBodySize": 9000, "requestBodySizeInspectedByWAF": 8192}
    if number % 9 == 0:
        [count] = record(number)["nonTerminatingMatchingRules"]
        answer = {"responseCode": 202, "solveTimestamp": 1_793_750_401}
        one["terminatingRuleMatchDetails"] = count["ruleMatchDetails"]
        one["challengeResponse"] = answer | {"failureReason": "TOKEN_EXPIRED"}
        one["requestHeadersInserted"] = [{"name": "x-amzn-waf-shop", "value": "1"}]
        group["terminatingRule"] = count
        group["nonTerminatingMatchingRules"] = [
            count | {"overriddenAction": "BLOCK", "challengeResponse": answer}
        ]
    if number % 8 == 0:
        rule = {"rateBasedRuleId": "arn:rate", "limitKey": "IP", "maxRateAllowed": 100}
        one["rateBasedRuleList"] = [rule]
        one["ja3Fingerprint"], one["ja4Fingerprint"] = "3" * 32, "4" * 36
    return one


RECORDS = [log_record(number) for number in range(len(STARTS) * EACH)]


def published(log: Row) -> Row:
    """A log record as the guide's table shows it: its members by their names in lower case."""
    return {
        name: member(log.get(found(log, name)), exp.DataType.build(kind, dialect="hive"))
        for name, kind in PUBLISHED.items()
    }


def member(value: Any, kind: exp.DataType) -> Any:
    if value is None:
        return None
    if kind.is_type("array"):
        return [member(one, kind.expressions[0]) for one in value]
    if kind.is_type("struct"):
        return {m.name: member(value.get(found(value, m.name)), m.kind) for m in kind.expressions}
    if isinstance(value, list):
        lower = [{k.lower(): v for k, v in x.items()} if isinstance(x, dict) else x for x in value]
        return json.dumps(lower, separators=(",", ":"))
    return str(value) if kind.is_type("text") else value


def found(log: Row, name: str) -> str | None:
    return next((key for key in log if key.lower() == name), None)
