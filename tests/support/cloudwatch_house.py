"""A CloudWatch before moto, with the metrics that a test counts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from unittest import mock

import boto3
import httpx
import pytest
from moto.cloudwatch.models import CloudWatchBackend
from moto.server import ThreadedMotoServer

WAF = "AWS/WAFV2"


@contextmanager
def cloudwatch_server() -> Iterator[str]:
    """A moto whose GetMetricData tells namespaces apart, as CloudWatch does."""
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with mock.patch.object(CloudWatchBackend, "get_metric_data", _of_one_namespace):
        yield f"http://{host}:{port}"
    server.stop()


_everywhere = CloudWatchBackend.get_metric_data


def _of_one_namespace(
    backend: CloudWatchBackend, queries: list[dict[str, Any]], **window: Any
) -> list[dict[str, Any]]:
    results = []
    for query in queries:
        namespace = query["MetricStat"]["Metric"]["Namespace"]
        data = [one for one in backend.get_all_metrics() if one.namespace == namespace]
        with mock.patch.object(backend, "get_all_metrics", lambda data=data: data):
            results += _everywhere(backend, [query], **window)
    return results


class Cloud:
    """Puts datapoints; dimensions are written in the order of their names, in which moto compares
    them."""

    def __init__(self, server: str, monkeypatch: pytest.MonkeyPatch) -> None:
        environment = {
            "AWS_ENDPOINT_URL": server,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_DEFAULT_REGION": "eu-west-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "BARTIZAN_CLOUDWATCH"):
            monkeypatch.delenv(name, raising=False)
        httpx.post(f"{server}/moto-api/reset").raise_for_status()

    def put(
        self,
        at: datetime,
        value: float,
        metric: str = "BlockedRequests",
        region: str = "eu-west-1",
        namespace: str = WAF,
        **dimensions: str,
    ) -> None:
        datum = {
            "MetricName": metric,
            "Dimensions": [{"Name": k, "Value": v} for k, v in sorted(dimensions.items())],
            "Timestamp": at,
            "Value": value,
        }
        boto3.client("cloudwatch", region).put_metric_data(Namespace=namespace, MetricData=[datum])

    def count(self, at: datetime, value: float, metric: str = "BlockedRequests") -> None:
        """As AWS WAF counts for a web ACL in eu-west-1."""
        self.put(at, value, metric, WebACL="shop", Rule="ALL", Region="eu-west-1")

    def sums(
        self, namespace: str, start: datetime, end: datetime, **dimensions: str
    ) -> dict[datetime, tuple[float, float]]:
        """Sum and number of samples of blocked requests by 5 minutes."""
        answer = boto3.client("cloudwatch", "eu-west-1").get_metric_statistics(
            Namespace=namespace,
            MetricName="BlockedRequests",
            Dimensions=[{"Name": k, "Value": v} for k, v in sorted(dimensions.items())],
            StartTime=start,
            EndTime=end,
            Period=int(timedelta(minutes=5).total_seconds()),
            Statistics=["Sum", "SampleCount"],
        )
        return {one["Timestamp"]: (one["Sum"], one["SampleCount"]) for one in answer["Datapoints"]}
