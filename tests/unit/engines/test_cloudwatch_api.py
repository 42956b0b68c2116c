"""Pages, batches, states and refusals of CloudWatch, which moto does not play."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.stub import ANY, Stubber

from bartizan.engines import cloudwatch_api
from bartizan.engines.cloudwatch import CloudWatchEngine
from bartizan.engines.connections import CloudWatch
from bartizan.errors import TransientError, UsageError
from bartizan.model.window import DAY, HOUR, Window

START = datetime(2026, 11, 1, tzinfo=UTC)
WINDOW = Window(START, START + HOUR)
STEP = timedelta(minutes=5)
QUERY = """
namespace: AWS/WAFV2
metrics: {blocked: BlockedRequests}
period: PT5M
dimensions: {rule: Rule}
"""


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stubber]:
    """A client that answers what the test has put in, in this order, and nothing else."""
    client = boto3.client(
        "cloudwatch", "eu-west-1", aws_access_key_id="testing", aws_secret_access_key="testing"
    )
    monkeypatch.setattr(cloudwatch_api, "client", lambda service, region: client)
    with Stubber(client) as stub:
        yield stub


def ask() -> list[dict[str, Any]]:
    engine = CloudWatchEngine(CloudWatch(), lambda: START + DAY)
    rows: list[dict[str, Any]] = engine.query(QUERY, WINDOW).to_pylist()
    return rows


def listed(stub: Stubber, rules: list[str], token: str | None, next_token: str | None) -> None:
    metrics = [
        {
            "Namespace": "AWS/WAFV2",
            "MetricName": "BlockedRequests",
            "Dimensions": [{"Name": "Rule", "Value": rule}],
        }
        for rule in rules
    ]
    asked = {
        "Namespace": "AWS/WAFV2",
        "MetricName": "BlockedRequests",
        "Dimensions": [{"Name": "Rule"}],
    }
    stub.add_response(
        "list_metrics",
        {"Metrics": metrics} | ({"NextToken": next_token} if next_token else {}),
        asked | ({"NextToken": token} if token else {}),
    )


def measured(
    stub: Stubber,
    results: list[tuple[int, str, dict[int, float]]],
    asked: list[str] | None = None,
    token: str | None = None,
    next_token: str | None = None,
) -> None:
    """An answer of place, state and values by period; `asked` are the rules of the request."""
    answer = [
        {
            "Id": f"m{place}",
            "StatusCode": state,
            "Timestamps": [START + period * STEP for period in values],
            "Values": list(values.values()),
        }
        for place, state, values in results
    ]
    queries = (
        ANY
        if asked is None
        else [wanted(place) for place in range(len(RULES)) if RULES[place] in asked]
    )
    stub.add_response(
        "get_metric_data",
        {"MetricDataResults": answer} | ({"NextToken": next_token} if next_token else {}),
        {
            "MetricDataQueries": queries,
            "StartTime": WINDOW.start,
            "EndTime": WINDOW.end,
            "ScanBy": "TimestampAscending",
        }
        | ({"NextToken": token} if token else {}),
    )


RULES = [f"rule-{number:03}" for number in range(502)]


def wanted(place: int) -> dict[str, Any]:
    metric = {
        "Namespace": "AWS/WAFV2",
        "MetricName": "BlockedRequests",
        "Dimensions": [{"Name": "Rule", "Value": RULES[place]}],
    }
    return {
        "Id": f"m{place}",
        "MetricStat": {"Metric": metric, "Period": 300, "Stat": "Sum"},
    }


def test_more_than_500_series_come_in_batches_and_pages(stub: Stubber) -> None:
    listed(stub, RULES[:500], None, "more")
    listed(stub, RULES[500:], "more", None)
    whole = [(place, "Complete", {0: float(place)}) for place in range(1, 500)]
    measured(stub, [(0, "PartialData", {0: 7.0}), *whole], RULES[:500], None, "rest")
    measured(stub, [(0, "Complete", {1: 8.0, 11: 9.0})], RULES[:500], "rest", None)
    measured(stub, [(500, "Complete", {2: 500.0}), (501, "Complete", {})], RULES[500:])

    rows = ask()

    stub.assert_no_pending_responses()
    assert len(rows) == len(RULES) * 12
    found = {(row["rule"], row["timestamp"].minute // 5): row["blocked"] for row in rows}
    assert [found["rule-000", period] for period in (0, 1, 2, 11)] == [7.0, 8.0, 0.0, 9.0]
    assert (found["rule-500", 2], found["rule-501", 2]) == (500.0, 0.0)
    assert sum(found.values()) == 7 + 8 + 9 + sum(range(1, 500)) + 500


@pytest.mark.parametrize(
    ("results", "error", "text"),
    [
        ([(0, "PartialData", {0: 1.0})], TransientError, "ended in PartialData"),
        ([(0, "InternalError", {})], TransientError, "ended in InternalError"),
        ([], TransientError, "ended in no answer"),
        ([(0, "Forbidden", {})], UsageError, "BlockedRequests is forbidden"),
    ],
)
def test_what_is_not_whole_is_no_zero(
    stub: Stubber,
    results: list[tuple[int, str, dict[int, float]]],
    error: type[Exception],
    text: str,
) -> None:
    listed(stub, RULES[:1], None, None)
    measured(stub, results)

    with pytest.raises(error, match=text):
        ask()


def test_an_internal_error_of_a_page_is_made_good_by_the_next(stub: Stubber) -> None:
    listed(stub, RULES[:1], None, None)
    measured(stub, [(0, "InternalError", {})], next_token="again")
    measured(stub, [(0, "Complete", {3: 4.0})], token="again")

    assert sum(row["blocked"] for row in ask()) == 4.0


@pytest.mark.parametrize("operation", ["list_metrics", "get_metric_data"])
@pytest.mark.parametrize(
    ("code", "status", "error"),
    [
        ("Throttling", 400, TransientError),
        ("ThrottlingException", 400, TransientError),
        ("InternalServiceFault", 500, TransientError),
        ("AccessDenied", 403, UsageError),
        ("ExpiredToken", 403, UsageError),
    ],
)
def test_refusals_name_the_action(
    stub: Stubber, operation: str, code: str, status: int, error: type[Exception]
) -> None:
    if operation == "get_metric_data":
        listed(stub, RULES[:1], None, None)
    stub.add_client_error(operation, code, "said so", http_status_code=status)

    with pytest.raises(error) as caught:
        ask()

    action = "".join(word.capitalize() for word in operation.split("_"))
    assert str(caught.value).startswith(f"cloudwatch:{action}: {code}: said so — ")
