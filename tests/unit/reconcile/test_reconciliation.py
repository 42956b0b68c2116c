"""Landed requests beside AWS/WAFV2 counters, through boto3 and a CloudWatch on loopback.

The loopback CloudWatch matches metrics by name and by the whole set of dimensions, so a query with
a dimension too many or too few finds nothing. It does not know the namespace, keeps everything for
ever, never pages and takes any number of queries; the limit of 500 is checked at the client.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError
from lakes import SmallLake, landed
from moto.server import ThreadedMotoServer

from bartizan.errors import ConfigError, SourceError, TransientError, UsageError
from bartizan.model.reconciliation import Verdict
from bartizan.model.window import DAY, HOUR, Window
from bartizan.reconcile import Options, Reconciliation, reconcile
from bartizan.reconcile.cloudwatch import FROM_FILE, FROM_NAME, FROM_WEBACL, NAME_OF_DELETED
from bartizan.store.reconciliation import load_hours, reconciled

ACCOUNT = "123456789012"  # the account of the loopback AWS
TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
START = TODAY - 5 * DAY
WINDOW = Window(START, START + 3 * HOUR)
LATE = 3 * HOUR
METRIC = {
    "ALLOW": "AllowedRequests",
    "BLOCK": "BlockedRequests",
    "CAPTCHA": "CaptchaRequests",
    "CHALLENGE": "ChallengeRequests",
}


@dataclass(frozen=True)
class Cloud:
    """AWS on loopback, and a lake to compare it with; `logged` is landed by the next run."""

    small: SmallLake
    logged: list[dict[str, Any]] = field(default_factory=list)

    def webacl(self, name: str, metric_name: str, region: str = "eu-west-1") -> str:
        """Create a web ACL, of CloudFront when the region is `cloudfront`; returns its ARN."""
        of_cloudfront = region == "cloudfront"
        wafv2 = boto3.client("wafv2", "us-east-1" if of_cloudfront else region)
        created = wafv2.create_web_acl(
            Name=name,
            Scope="CLOUDFRONT" if of_cloudfront else "REGIONAL",
            DefaultAction={"Allow": {}},
            VisibilityConfig={
                "SampledRequestsEnabled": False,
                "CloudWatchMetricsEnabled": True,
                "MetricName": metric_name,
            },
        )
        return str(created["Summary"]["ARN"]).replace(":global:", ":us-east-1:")

    def count(
        self, metric_name: str, hour: int, region: str = "eu-west-1", **requests: int
    ) -> None:
        """What AWS WAF counts, spread over two minutes, and what must not be summed with it."""
        dimensions = {"WebACL": metric_name, "Rule": "ALL"}
        if region != "cloudfront":
            dimensions["Region"] = region
        data = [
            {
                "MetricName": name,
                "Dimensions": [
                    {"Name": k, "Value": v} for k, v in (dimensions | {"Rule": rule}).items()
                ],
                "Timestamp": START + hour * HOUR + timedelta(minutes=minute),
                "Value": value,
            }
            for action, number in requests.items()
            for name, rule, minute, value in (
                (METRIC[action], "ALL", 0, number - 1),
                (METRIC[action], "ALL", 59, 1),
                (METRIC[action], "some-rule", 1, number),
                ("CountedRequests", "ALL", 1, number),
                ("PassedRequests", "ALL", 1, number),
            )
        ]
        client = boto3.client("cloudwatch", "us-east-1" if region == "cloudfront" else region)
        client.put_metric_data(Namespace="AWS/WAFV2", MetricData=data)

    def log(self, arn: str | None, hour: int, **requests: int) -> None:
        """Requests for the lake, the last of them a millisecond before the hour ends."""
        end = START + (hour + 1) * HOUR
        self.logged.extend(
            {
                "event_time": end - timedelta(milliseconds=1 + n),
                "webacl_id": arn,
                "action": action,
                "uri": f"/{action}/{n}",
            }
            for action, number in requests.items()
            for n in range(number)
        )

    def run(
        self, window: Window = WINDOW, as_of: datetime = TODAY, **options: Any
    ) -> Reconciliation:
        if self.logged:
            self.small.land(str(self.logged[0]), requests=landed("requests", self.logged))
            self.logged.clear()
        return reconcile(
            self.small.store, self.small.engine, window, Options(**options), as_of, LATE
        )

    def verdicts(self, arn: str, **options: Any) -> list[Verdict]:
        done = self.run(**options)
        assert done.failures == ()
        assert list(done.compared) == load_hours(self.small.store)
        return [one.verdict for one in done.compared if one.webacl_id == arn]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def cloud(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    environment = {
        "AWS_ENDPOINT_URL": server,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": str(tmp_path / "none"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    httpx.post(f"{server}/moto-api/reset").raise_for_status()
    return Cloud(SmallLake.open(tmp_path))


def arn_of(name: str, account: str = ACCOUNT, region: str = "eu-west-1") -> str:
    return f"arn:aws:wafv2:{region}:{account}:regional/webacl/{name}/11111111-2222"


def test_equal_missing_and_surplus(cloud: Cloud) -> None:
    arn = cloud.webacl("shop", "shopMetrics")
    cloud.log(arn, 0, ALLOW=40, BLOCK=7, CAPTCHA=2, CHALLENGE=1)
    cloud.count("shopMetrics", 0, ALLOW=40, BLOCK=7, CAPTCHA=2, CHALLENGE=1)
    cloud.log(arn, 1, ALLOW=30, BLOCK=7)
    cloud.count("shopMetrics", 1, ALLOW=50, BLOCK=7)
    cloud.log(arn, 2, ALLOW=30)
    cloud.count("shopMetrics", 2, ALLOW=20)
    cloud.count("shopMetrics", 3, ALLOW=999)  # after the window

    done = cloud.run()
    assert [(one.verdict, one.missing) for one in done.compared] == [
        (Verdict.COMPLETE, 0),
        (Verdict.MISSING, 20),
        (Verdict.SURPLUS, -10),
    ]
    assert done.compared[0].counted == {"ALLOW": 40, "BLOCK": 7, "CAPTCHA": 2, "CHALLENGE": 1}
    assert done.compared[1].share == pytest.approx(20 / 57)
    assert {(one.metric_name, one.named_by) for one in done.compared} == {
        ("shopMetrics", FROM_WEBACL)
    }

    # Late records land, the same window again: one row an hour, the new one.
    cloud.log(arn, 1, CAPTCHA=20)
    assert cloud.verdicts(arn) == [Verdict.COMPLETE, Verdict.COMPLETE, Verdict.SURPLUS]
    seen = reconciled(cloud.small.store)
    assert seen.verdicts == {"complete": 2, "more than counted": 1}
    assert seen.last_hour == START + 2 * HOUR
    assert [one.hour for one in seen.worst] == [START + 2 * HOUR]


def test_the_tolerance_is_the_larger_of_share_and_requests(cloud: Cloud) -> None:
    arn = cloud.webacl("shop", "shop")
    for hour, logged, counted in ((0, 15, 20), (1, 14, 20), (2, 1990, 2000)):
        cloud.log(arn, hour, ALLOW=logged)
        cloud.count("shop", hour, ALLOW=counted)
    assert cloud.verdicts(arn) == [Verdict.COMPLETE, Verdict.MISSING, Verdict.COMPLETE]


def test_cloudfront_counters_have_no_region(cloud: Cloud) -> None:
    arn = cloud.webacl("cdn", "cdn", "cloudfront")
    cloud.log(arn, 0, ALLOW=30)
    cloud.count("cdn", 0, "cloudfront", ALLOW=30)
    cloud.count("cdn", 0, "us-east-1", ALLOW=500)  # a regional namesake
    assert cloud.verdicts(arn) == [Verdict.COMPLETE] * 3


def test_no_datapoint_is_zero_for_a_web_acl_that_has_others(cloud: Cloud) -> None:
    arn = cloud.webacl("shop", "shop")
    cloud.log(arn, 0, ALLOW=30)
    cloud.count("shop", 0, ALLOW=30)
    cloud.log(arn, 1, ALLOW=30)
    assert cloud.verdicts(arn) == [Verdict.COMPLETE, Verdict.SURPLUS, Verdict.COMPLETE]


def test_nothing_to_compare_with(cloud: Cloud) -> None:
    arn = cloud.webacl("shop", "shop")
    cloud.log(arn, 0, ALLOW=30)
    cloud.count("other", 0, ALLOW=30)
    classic = "0a1b2c3d-1111-2222-3333-444455556666"
    for named in (classic, None, "arn:aws:wafv2:evil.example:1:regional/webacl/a/b"):
        cloud.log(named, 1, BLOCK=9)
    done = {(one.webacl_id, one.hour): one.verdict for one in cloud.run().compared}
    assert {verdict for (one, _), verdict in done.items() if one == arn} == {Verdict.NO_COUNTERS}
    assert {one: verdict for (one, _), verdict in done.items() if one != arn} == {
        classic: Verdict.NO_WEBACL,
        "": Verdict.NO_WEBACL,
        "arn:aws:wafv2:evil.example:1:regional/webacl/a/b": Verdict.NO_WEBACL,
    }


def test_a_logging_filter_is_told_from_a_loss(cloud: Cloud) -> None:
    filtered, lost = cloud.webacl("filtered", "filtered"), cloud.webacl("lost", "lost")
    for hour in range(3):
        cloud.count("filtered", hour, ALLOW=100, BLOCK=20)
        cloud.log(filtered, hour, BLOCK=20 if hour < 2 else 10)
        cloud.count("lost", hour, ALLOW=100, BLOCK=20)
        cloud.log(lost, hour, BLOCK=20, **({"ALLOW": 100} if hour else {}))
    assert cloud.verdicts(filtered) == [Verdict.FILTERED, Verdict.FILTERED, Verdict.MISSING]
    assert cloud.verdicts(lost) == [Verdict.MISSING, Verdict.COMPLETE, Verdict.COMPLETE]


def test_a_web_acl_that_fell_silent_is_still_expected(cloud: Cloud) -> None:
    arn = cloud.webacl("shop", "shop")
    cloud.log(arn, -24, ALLOW=30)
    cloud.count("shop", 1, ALLOW=30)
    assert cloud.verdicts(arn) == [Verdict.COMPLETE, Verdict.MISSING, Verdict.COMPLETE]


def test_where_the_name_comes_from(cloud: Cloud) -> None:
    by_name = cloud.webacl("by-name", "defaultActionOfByName")
    cloud.count("by-name", 0, ALLOW=30)
    mapped, deleted = arn_of("mapped"), arn_of("deleted")
    cloud.count("other-name", 0, ALLOW=30)
    cloud.count("deleted", 0, ALLOW=30)
    for arn in (by_name, mapped, deleted):
        cloud.log(arn, 0, ALLOW=30)
    done = cloud.run(names={mapped: "other-name"}).compared
    assert {one.webacl_id: (one.metric_name, one.named_by) for one in done} == {
        by_name: ("by-name", FROM_NAME),
        mapped: ("other-name", FROM_FILE),
        deleted: ("deleted", NAME_OF_DELETED),
    }
    assert {one.verdict for one in done} == {Verdict.COMPLETE}


def refuse(monkeypatch: pytest.MonkeyPatch, operation: str, code: str) -> list[dict[str, Any]]:
    """Let AWS answer `code` to an operation (none: answer as ever); returns what was asked."""
    asked: list[dict[str, Any]] = []
    call = BaseClient._make_api_call  # type: ignore[attr-defined]

    def answer(client: BaseClient, name: str, given: dict[str, Any]) -> Any:
        if name == operation:
            asked.append(given)
            if code:
                raise ClientError({"Error": {"Code": code, "Message": "no\nway"}}, name)
        return call(client, name, given)

    monkeypatch.setattr(BaseClient, "_make_api_call", answer)
    return asked


def test_without_permission_for_the_web_acl_its_name_is_taken(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    arn = cloud.webacl("shop", "shopMetrics")
    cloud.log(arn, 0, ALLOW=30)
    cloud.count("shop", 0, ALLOW=30)
    refuse(monkeypatch, "GetWebACL", "AccessDeniedException")
    done = cloud.run()
    assert {one.verdict for one in done.compared} == {Verdict.COMPLETE}
    assert "wafv2:GetWebACL not allowed" in done.compared[0].named_by


def test_more_than_five_hundred_queries(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    names = {arn_of(f"acl-{n}"): f"metric-{n}" for n in range(130)}
    rows = [
        {"event_time": START, "webacl_id": arn, "action": "ALLOW", "uri": f"/{n}"}
        for arn in names
        for n in range(8)
    ]
    cloud.small.land("many", requests=landed("requests", rows))
    cloud.count("metric-129", 0, ALLOW=8)
    asked = refuse(monkeypatch, "GetMetricData", "")
    done = cloud.run(Window(START, START + HOUR), names=names)
    assert [len(call["MetricDataQueries"]) for call in asked] == [500, 20]
    assert len(done.compared) == 130
    verdicts = {one.metric_name: one.verdict for one in done.compared}
    assert verdicts.pop("metric-129") is Verdict.COMPLETE
    assert set(verdicts.values()) == {Verdict.NO_COUNTERS}


def test_pages_are_added_up(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """The loopback CloudWatch never pages, so two of its answers are handed on as pages."""
    arn = cloud.webacl("shop", "shop")
    for hour in (0, 1):
        cloud.log(arn, hour, ALLOW=30)
        cloud.count("shop", hour, ALLOW=30)
    call = BaseClient._make_api_call  # type: ignore[attr-defined]

    def paged(client: BaseClient, name: str, given: dict[str, Any]) -> Any:
        page = call(client, name, given)
        if name == "GetMetricData":
            first = "NextToken" not in given
            for result in page["MetricDataResults"]:
                half = slice(0, 1) if first else slice(1, None)
                result["Timestamps"] = result["Timestamps"][half]
                result["Values"] = result["Values"][half]
            page |= {"NextToken": "more"} if first else {}
        return page

    monkeypatch.setattr(BaseClient, "_make_api_call", paged)
    assert cloud.verdicts(arn) == [Verdict.COMPLETE] * 3


def test_hours_whose_logs_may_still_arrive_wait(cloud: Cloud) -> None:
    arn = cloud.webacl("shop", "shop")
    cloud.log(arn, 0, ALLOW=30)
    cloud.count("shop", 0, ALLOW=30)
    for since_start, compared in ((timedelta(hours=3, minutes=59), 0), (4 * HOUR, 1)):
        done = cloud.run(as_of=START + since_start)
        assert (len(done.compared), done.waiting) == (compared, 3 - compared)
    assert len(load_hours(cloud.small.store)) == 1


def test_other_accounts_need_a_role_and_one_failure_spares_the_rest(cloud: Cloud) -> None:
    own, other = cloud.webacl("shop", "shop"), arn_of("shop", "111122223333")
    for arn in (own, other):
        cloud.log(arn, 0, ALLOW=30)
    cloud.count("shop", 0, ALLOW=30)
    done = cloud.run()
    assert {one.webacl_id for one in done.compared} == {own}
    (failure,) = done.failures
    assert isinstance(failure, UsageError)
    assert f"belong to account {ACCOUNT}" in str(failure)
    assert "BARTIZAN_RECONCILE_ROLE" in str(failure)

    role = "arn:aws:iam::{account}:role/reader"
    done = cloud.run(role=role)
    assert done.failures == ()
    verdicts = {(one.webacl_id, one.verdict) for one in done.compared}
    assert verdicts == {(own, Verdict.COMPLETE), (other, Verdict.NO_COUNTERS)}


@pytest.mark.parametrize(
    ("operation", "code", "kind", "says"),
    [
        ("GetMetricData", "AccessDenied", SourceError, "cloudwatch:GetMetricData is not allowed"),
        ("AssumeRole", "AccessDenied", SourceError, "sts:AssumeRole is not allowed"),
        ("GetCallerIdentity", "ExpiredToken", UsageError, "refuses them (ExpiredToken)"),
        ("GetMetricData", "Throttling", TransientError, "throttled"),
    ],
)
def test_what_aws_refuses_is_one_line(
    cloud: Cloud,
    monkeypatch: pytest.MonkeyPatch,
    operation: str,
    code: str,
    kind: type[Exception],
    says: str,
) -> None:
    cloud.log(cloud.webacl("shop", "shop"), 0, ALLOW=30)
    refuse(monkeypatch, operation, code)
    role = "arn:aws:iam::{account}:role/reader" if operation == "AssumeRole" else ""
    (failure,) = cloud.run(role=role).failures
    assert isinstance(failure, kind)
    assert says in str(failure)
    assert "\n" not in str(failure)
    assert load_hours(cloud.small.store) == []


def test_without_credentials(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    cloud.log(arn_of("shop"), 0, ALLOW=30)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    (failure,) = cloud.run().failures
    assert isinstance(failure, UsageError)
    assert str(failure).startswith("AWS credentials: ")


def test_hours_that_cloudwatch_no_longer_keeps(cloud: Cloud) -> None:
    with pytest.raises(UsageError, match="455 days"):
        cloud.run(as_of=START + 456 * DAY)


@pytest.mark.parametrize(
    ("env", "says"),
    [
        ({"BARTIZAN_RECONCILE": "yes"}, "write cloudwatch"),
        ({"BARTIZAN_RECONCILE_SHARE": "-0.1"}, "is not a number from 0 on"),
        ({"BARTIZAN_RECONCILE_REQUESTS": "nan"}, "is not a number from 0 on"),
    ],
)
def test_options_that_cannot_be(env: Mapping[str, str], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        Options.from_env(env)


@pytest.mark.parametrize("text", ["- a", "shop: metric", "a: [", f"{arn_of('shop')}: 3"])
def test_a_file_of_names_that_is_none(tmp_path: Path, text: str) -> None:
    file = tmp_path / "names.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=r"names\.yaml"):
        Options.from_env({"BARTIZAN_RECONCILE_NAMES": str(file)})
    file.write_text(f"{arn_of('shop')}: metric")
    options = Options.from_env({"BARTIZAN_RECONCILE_NAMES": str(file)})
    assert (options.names, options.enabled) == ({arn_of("shop"): "metric"}, False)
