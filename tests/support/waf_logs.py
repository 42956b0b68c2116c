"""AWS WAF log records and objects for tests of landing."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

START_MS = 1_793_750_400_000  # 2026-11-04T00:00:00Z
ARN = "arn:aws:wafv2:us-east-1:111122223333:global/webacl/shop_site/47634e95-3f60-4b4a"
SHARED = Path(os.environ.get("BARTIZAN_SHARED", Path(__file__).parents[3] / "shared"))
SAMPLES = SHARED / "data" / "waf-samples"


def record(number: int, **changes: Any) -> dict[str, Any]:
    """A log record of its own for each number, one a second; `changes` replace members."""
    return {
        "timestamp": START_MS + 1000 * number,
        "formatVersion": 1,
        "webaclId": ARN,
        "terminatingRuleId": "AWS-Common",
        "terminatingRuleType": "MANAGED_RULE_GROUP",
        "action": "BLOCK",
        "terminatingRuleMatchDetails": [],
        "httpSourceName": "CF",
        "httpSourceId": "E2EXAMPLE",
        "ruleGroupList": [
            {
                "ruleGroupId": "AWS#AWSManagedRulesCommonRuleSet",
                "terminatingRule": {
                    "ruleId": "CrossSiteScripting_BODY",
                    "action": "BLOCK",
                    "ruleMatchDetails": None,
                },
                "nonTerminatingMatchingRules": [],
                "excludedRules": None,
            }
        ],
        "rateBasedRuleList": [],
        "nonTerminatingMatchingRules": [
            {
                "ruleId": "count-sqli",
                "action": "COUNT",
                "ruleMatchDetails": [
                    {
                        "conditionType": "SQL_INJECTION",
                        "sensitivityLevel": "HIGH",
                        "location": "SINGLE_QUERY_ARG",
                        "matchedData": ["1", "or", "1=1"],
                        "matchedFieldName": "q",
                    }
                ],
            }
        ],
        "requestHeadersInserted": None,
        "responseCodeSent": None,
        "httpRequest": {
            "clientIp": f"198.51.100.{number % 250}",
            "country": "NL",
            "headers": [
                {"name": "Host", "value": "Shop.example.com"},
                {"name": "User-Agent", "value": "ExampleClient/1.0"},
            ],
            "uri": f"/item/{number}",
            "args": "q=1+or+1=1",
            "httpVersion": "HTTP/2.0",
            "httpMethod": "GET",
            "requestId": f"request-{number}",
        },
        "labels": [{"name": "awswaf:managed:aws:core-rule-set:CrossSiteScripting_Body"}],
    } | changes


def line(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def lines(values: Iterable[object]) -> bytes:
    return b"".join(line(value) + b"\n" for value in values)


def record_at(text: bytes, offset: int) -> bytes:
    """The JSON object at a byte offset, with white space before it. ValueError if there is none."""
    # Latin-1 maps every byte to one character.
    chars = text.decode("latin-1")
    start = len(chars) - len(chars[offset:].lstrip())
    _, end = json.JSONDecoder(strict=False).raw_decode(chars, start)
    return text[offset:end]


def write_object(
    folder: Path, name: str, content: bytes, delivered: datetime | None = None
) -> Path:
    """A gzip object as direct S3 delivery lays it out; flat without a time of delivery."""
    if delivered is not None:
        acl = "AWSLogs/111122223333/WAFLogs/cloudfront/shop_site"
        folder = folder / acl / f"{delivered:%Y/%m/%d/%H/%M}"
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{name}.log.gz"
    file.write_bytes(gzip.compress(content, mtime=0))
    return file


def sample_records() -> Iterator[dict[str, Any]]:
    """The published sample records, where the shared folder is at hand."""
    for file in sorted((SAMPLES / "records").glob("*.jsonl")):
        for text in file.read_text(encoding="utf-8").splitlines():
            yield json.loads(text)


def instant(record: dict[str, Any]) -> int:
    """Epoch milliseconds of a record whose timestamp is a number or ISO-8601 text."""
    stamp = record["timestamp"]
    if isinstance(stamp, int):
        return stamp
    moment = datetime.fromisoformat(stamp)
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
