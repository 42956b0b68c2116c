"""AWS WAF's own counters of requests, read from Amazon CloudWatch.

Metrics of namespace AWS/WAFV2 with dimension Rule=ALL count every request of a web ACL by its
terminating action. Counted and Passed are left out: their requests are in the others too. Regional
web ACLs carry a dimension Region, those of CloudFront none. No datapoint means zero. Sources: AWS
WAF developer guide, "AWS WAF metrics and dimensions"; CloudWatch API reference, GetMetricData.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

import boto3

from bartizan.errors import TransientError
from bartizan.model.window import Window, aware
from bartizan.reconcile.accounts import Denied, aws_errors, client
from bartizan.reconcile.webacl import WebAcl

KEPT = timedelta(days=455)  # how long CloudWatch keeps sums of an hour
_METRICS = {
    "AllowedRequests": "ALLOW",
    "BlockedRequests": "BLOCK",
    "CaptchaRequests": "CAPTCHA",
    "ChallengeRequests": "CHALLENGE",
}
_QUERIES = 500  # at most, in one call
_HOUR_SECONDS = 3600

FROM_FILE = "file of names"
FROM_WEBACL = "metric name of the web ACL"
FROM_NAME = "name of the web ACL"
NAME_ONLY = "name of the web ACL (wafv2:GetWebACL not allowed)"
NAME_OF_DELETED = "name of the web ACL (it no longer exists)"


@dataclass(frozen=True)
class MetricName:
    """A value of the metrics' WebACL dimension, and where it comes from."""

    text: str
    named_by: str


@dataclass(frozen=True)
class Counters:
    """A web ACL's counters by hour and action; `found` is False without a single datapoint."""

    name: MetricName
    requests: Mapping[datetime, dict[str, int]]

    @property
    def found(self) -> bool:
        return bool(self.requests)


@dataclass(frozen=True)
class _Query:
    webacl: WebAcl
    name: MetricName
    metric: str


def metric_names(
    session: boto3.Session, region: str, webacls: Iterable[WebAcl], names: Mapping[str, str]
) -> dict[WebAcl, list[MetricName]]:
    """What the WebACL dimension may be called for each web ACL of one account and region, the
    likeliest first. `names` decides for the ARNs in it.

    The guide says it is the metric name of the web ACL, accounts also show its name where the two
    differ, so both are asked for. Raises SourceError, UsageError or TransientError.
    """
    wafv2 = client(session, "wafv2", region)
    return {
        webacl: [MetricName(names[webacl.arn], FROM_FILE)]
        if webacl.arn in names
        else _asked_for(wafv2, webacl)
        for webacl in webacls
    }


def _asked_for(wafv2: Any, webacl: WebAcl) -> list[MetricName]:
    try:
        with aws_errors(f"web ACL {webacl.name}", "wafv2:GetWebACL"):
            try:
                answer = wafv2.get_web_acl(Name=webacl.name, Scope=webacl.scope, Id=webacl.id)
            except wafv2.exceptions.WAFNonexistentItemException:
                return [MetricName(webacl.name, NAME_OF_DELETED)]
    except Denied:
        return [MetricName(webacl.name, NAME_ONLY)]
    metric_name = answer["WebACL"]["VisibilityConfig"]["MetricName"]
    found = [MetricName(metric_name, FROM_WEBACL), MetricName(webacl.name, FROM_NAME)]
    return found[:1] if metric_name == webacl.name else found


def counters(
    session: boto3.Session,
    region: str,
    webacls: Mapping[WebAcl, Sequence[MetricName]],
    window: Window,
) -> dict[WebAcl, Counters]:
    """Counters of each web ACL of one account and region; of several names the first with data.

    `window` consists of whole hours. Raises SourceError, UsageError or TransientError.
    """
    queries = [
        _Query(webacl, name, metric)
        for webacl, names in webacls.items()
        for name in names
        for metric in _METRICS
    ]
    found: dict[tuple[WebAcl, MetricName], dict[datetime, dict[str, int]]] = {}
    cloudwatch = client(session, "cloudwatch", region)
    with aws_errors(f"CloudWatch in {region}", "cloudwatch:GetMetricData"):
        for query, hour, requests in _sums(cloudwatch, queries, window):
            hours = found.setdefault((query.webacl, query.name), {})
            hours.setdefault(hour, {})[_METRICS[query.metric]] = requests
    return {webacl: _first(webacl, names, found) for webacl, names in webacls.items()}


def _first(
    webacl: WebAcl,
    names: Sequence[MetricName],
    found: Mapping[tuple[WebAcl, MetricName], Mapping[datetime, dict[str, int]]],
) -> Counters:
    name = next((name for name in names if (webacl, name) in found), names[0])
    return Counters(name, found.get((webacl, name), {}))


def _sums(
    cloudwatch: Any, queries: Sequence[_Query], window: Window
) -> Iterator[tuple[_Query, datetime, int]]:
    """Every datapoint: its query, its hour, the number of requests."""
    paginator = cloudwatch.get_paginator("get_metric_data")
    waiting = iter(queries)
    while batch := list(islice(waiting, _QUERIES)):
        pages = paginator.paginate(
            MetricDataQueries=[_described(n, query) for n, query in enumerate(batch)],
            StartTime=window.start,
            EndTime=window.end,
            ScanBy="TimestampAscending",
        )
        for result in (result for page in pages for result in page["MetricDataResults"]):
            if result.get("StatusCode") in ("InternalError", "Forbidden"):
                raise TransientError(
                    "cloudwatch:GetMetricData", f"ended in {result['StatusCode']}", "try again"
                )
            query = batch[int(result["Id"].removeprefix("q"))]
            for instant, value in zip(result["Timestamps"], result["Values"], strict=True):
                yield query, aware(instant), round(value)


def _described(number: int, query: _Query) -> dict[str, Any]:
    dimensions = {"WebACL": query.name.text, "Rule": "ALL"}
    if not query.webacl.is_global:
        dimensions["Region"] = query.webacl.region
    return {
        "Id": f"q{number}",
        "MetricStat": {
            "Metric": {
                "Namespace": "AWS/WAFV2",
                "MetricName": query.metric,
                "Dimensions": [{"Name": k, "Value": v} for k, v in dimensions.items()],
            },
            "Period": _HOUR_SECONDS,
            "Stat": "Sum",
        },
        "ReturnData": True,
    }
