"""The AWS WAF log record as AWS documents it.

Names are the log's own. The order of members is that of the lake's columns (lake/schemas.py).
"""

from __future__ import annotations

TEXT, INT32, INT64 = "VARCHAR", "INTEGER", "BIGINT"
JSON_TEXT = "JSON"  # anything, kept as JSON text

EARLIEST_MS = 1_420_070_400_000  # 2015-01-01, the year AWS WAF appeared
LATEST_MS = 4_102_444_800_000  # 2100-01-01

Shape = str | list["Shape"] | dict[str, "Shape"]

_MATCH_DETAILS: Shape = [
    {
        "conditionType": TEXT,
        "sensitivityLevel": TEXT,
        "location": TEXT,
        "matchedData": [TEXT],
        "matchedFieldName": TEXT,
    }
]
_RESPONSE: Shape = {"responseCode": INT32, "solveTimestamp": INT64, "failureReason": TEXT}
_MATCHED_RULE: Shape = {
    "ruleId": TEXT,
    "action": TEXT,
    "overriddenAction": TEXT,
    "ruleMatchDetails": _MATCH_DETAILS,
    "captchaResponse": _RESPONSE,
    "challengeResponse": _RESPONSE,
}
_NAME_VALUE: Shape = [{"name": TEXT, "value": TEXT}]

RECORD: dict[str, Shape] = {
    "timestamp": INT64,
    "formatVersion": INT32,
    "webaclId": TEXT,
    "terminatingRuleId": TEXT,
    "terminatingRuleType": TEXT,
    "action": TEXT,
    "terminatingRuleMatchDetails": _MATCH_DETAILS,
    "httpSourceName": TEXT,
    "httpSourceId": TEXT,
    "ruleGroupList": [
        {
            "ruleGroupId": TEXT,
            "terminatingRule": _MATCHED_RULE,
            "nonTerminatingMatchingRules": [_MATCHED_RULE],
            "excludedRules": [
                {"exclusionType": TEXT, "ruleId": TEXT, "ruleMatchDetails": _MATCH_DETAILS}
            ],
            "customerConfig": JSON_TEXT,
            "ruleActionOverrides": JSON_TEXT,
        }
    ],
    "rateBasedRuleList": [
        {
            "rateBasedRuleId": TEXT,
            "rateBasedRuleName": TEXT,
            "limitKey": TEXT,
            "limitValue": TEXT,
            "maxRateAllowed": INT64,
            "evaluationWindowSec": INT64,
            "customValues": [{"key": TEXT, "name": TEXT, "value": TEXT}],
        }
    ],
    "nonTerminatingMatchingRules": [_MATCHED_RULE],
    "requestHeadersInserted": _NAME_VALUE,
    "responseCodeSent": INT32,
    "httpRequest": {
        "clientIp": TEXT,
        "country": TEXT,
        "headers": _NAME_VALUE,
        "uri": TEXT,
        "args": TEXT,
        "fragment": TEXT,
        "httpVersion": TEXT,
        "httpMethod": TEXT,
        "requestId": TEXT,
        "scheme": TEXT,
        "host": TEXT,
    },
    "labels": [{"name": TEXT}],
    "captchaResponse": _RESPONSE,
    "challengeResponse": _RESPONSE,
    "ja3Fingerprint": TEXT,
    "ja4Fingerprint": TEXT,
    "clientAsn": INT64,
    "forwardedAsn": INT64,
    "cfDistributionTenantId": TEXT,
    "oversizeFields": [TEXT],
    "requestBodySize": INT64,
    "requestBodySizeInspectedByWAF": INT64,
}

BOUNDS = {INT32: (-(2**31), 2**31 - 1), INT64: (-(2**63), 2**63 - 1)}
