"""Good records and mutants, of which the kinds of hostile objects are made."""

from __future__ import annotations

import gzip
import random
from dataclasses import dataclass
from itertools import count
from typing import Any

from waf_logs import line, record


@dataclass(frozen=True)
class Made:
    content: bytes
    sure: tuple[int, ...]
    torn: tuple[int, ...] = ()


def good(number: int, name: str = "good") -> dict[str, Any]:
    """A log record with every documented member, in text that misleads a careless reader."""
    request = record(number)["httpRequest"] | {
        "uri": f'/é漢😀/{{"timestamp":{number}}}\\',
        "args": "a=[1]&b=}{&c=\r\n{",
        "fragment": "top",
        "scheme": "https",
        "host": "shop.example.com",
        "requestId": f"{name}-{number}",
    }
    detail = record(0)["nonTerminatingMatchingRules"][0]["ruleMatchDetails"]
    token = {"responseCode": 405, "solveTimestamp": 0, "failureReason": "TOKEN_MISSING"}
    inner = {"ruleId": "inner", "action": "COUNT", "overriddenAction": "BLOCK"}
    excluded = [{"exclusionType": "EXCLUDED_AS_COUNT", "ruleId": "old", "ruleMatchDetails": None}]
    group = record(0)["ruleGroupList"][0] | {
        "nonTerminatingMatchingRules": [inner | {"captchaResponse": token}],
        "excludedRules": excluded,
        "customerConfig": None,
    }
    return record(
        number,
        httpRequest=request,
        terminatingRuleMatchDetails=detail,
        ruleGroupList=[group],
        rateBasedRuleList=[
            {
                "rateBasedRuleId": "r-1",
                "rateBasedRuleName": "limit",
                "limitKey": "CUSTOMKEYS",
                "limitValue": "x",
                "maxRateAllowed": 100,
                "evaluationWindowSec": 300,
                "customValues": [{"key": "HEADER", "name": "user-agent", "value": "curl"}],
            }
        ],
        requestHeadersInserted=[{"name": "x-waf", "value": "1"}],
        responseCodeSent=403,
        captchaResponse=token,
        challengeResponse=token | {"responseCode": 202},
        ja3Fingerprint="0" * 32,
        ja4Fingerprint="t13d1516h2_8daaf6152771_b186095e22b6",
        clientAsn=64496,
        forwardedAsn=64497,
        cfDistributionTenantId="tenant",
        oversizeFields=["REQUEST_BODY"],
        requestBodySize=20_000,
        requestBodySizeInspectedByWAF=8192,
    )


class Maker:
    """Makes good records and mutants, numbered through."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self._numbers = count()

    def goods(self, most: int = 4) -> dict[int, bytes]:
        """Some good records as compact JSON, by number."""
        numbers = [next(self._numbers) for _ in range(self.rng.randint(1, most))]
        return {number: line(good(number)) for number in numbers}

    def mutant(self, **changes: Any) -> dict[str, Any]:
        return good(next(self._numbers), "mutant") | changes

    def among(self, *mutants: bytes) -> Made:
        """The mutants as lines of their own between good lines."""
        goods = self.goods()
        texts = [*goods.values(), *mutants]
        self.rng.shuffle(texts)
        return Made(self.packed(b"\n".join(texts) + b"\n"), tuple(goods))

    def packed(self, text: bytes) -> bytes:
        return gzip.compress(text, mtime=0) if self.rng.random() < 0.5 else text
