"""Channels over AWS, on stand-ins of the services that speak their protocols."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from dispatch_house import CONTEXT, HIGH, DispatchHouse, outgoing
from moto.server import ThreadedMotoServer
from web_server import Reply, WebServer, serving

from bartizan.dispatch.channels.base import Outcome
from bartizan.dispatch.channels.eventbridge import EventBridge, EventBridgeOptions
from bartizan.dispatch.channels.lambda_ import Lambda, LambdaOptions
from bartizan.dispatch.channels.security_hub import SecurityHub, SecurityHubOptions
from bartizan.dispatch.channels.sns import Sns, SnsOptions
from bartizan.model.anomaly import IncidentState
from bartizan.store.outbox import Result

REGION = "eu-central-1"
ROLE = "arn:aws:iam::111122223333:role/bartizan"
HUB = SecurityHubOptions(kind="security_hub", region=REGION)
BUS = EventBridgeOptions(kind="eventbridge", region=REGION)


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    yield "http://{}:{}".format(*server.get_host_and_port())
    server.stop()


@pytest.fixture
def aws(endpoint: str, keys: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)


@pytest.fixture
def house(tmp_path: Path) -> DispatchHouse:
    return DispatchHouse(tmp_path)


@contextmanager
def answering(
    monkeypatch: pytest.MonkeyPatch, service: str, *replies: Reply
) -> Iterator[WebServer]:
    """A service that answers as the test says; `service` is its name in AWS_ENDPOINT_URL_<NAME>."""
    with serving(*replies) as server:
        monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", server.url(path=""))
        yield server


def said(answer: dict[str, Any], status: int = 200) -> Reply:
    return Reply(status, json.dumps(answer).encode())


def queue_of(topic: str, name: str, **attributes: str) -> Any:
    """A queue that hears what a topic says, as bare messages."""
    queue = boto3.resource("sqs").create_queue(QueueName=name, Attributes=attributes)
    boto3.client("sns").subscribe(
        TopicArn=topic,
        Protocol="sqs",
        Endpoint=queue.attributes["QueueArn"],
        Attributes={"RawMessageDelivery": "true"},
    )
    return queue


def received(queue: Any) -> list[Any]:
    return list(queue.receive_messages(MaxNumberOfMessages=10, MessageAttributeNames=["All"]))


def test_one_finding_lives_in_security_hub_through_all_changes(
    house: DispatchHouse, aws: None
) -> None:
    hub = boto3.client("securityhub")
    hub.enable_security_hub()
    channels = {"hub": SecurityHub(HUB)}
    states = []
    ended = replace(HIGH, severity=75.0, state=IncidentState.RESOLVED)
    for found in (HIGH, replace(HIGH, severity=75.0), ended, HIGH):
        house.found(found)
        assert len(house.dispatch(channels).delivered) == 1
        findings = hub.get_findings()["Findings"]
        assert len(findings) == 1
        states.append((findings[0]["RecordState"], findings[0]["Severity"]["Label"]))
    assert states == [
        *[("ACTIVE", "CRITICAL"), ("ACTIVE", "HIGH"), ("ARCHIVED", "HIGH"), ("ACTIVE", "CRITICAL")]
    ]
    assert findings[0]["AwsAccountId"] == "111122223333"
    assert findings[0]["Resources"][0]["Region"] == REGION
    assert {row[0].rpartition(" ")[0] for row in house.rows("receipt")} == {findings[0]["Id"]}


def test_findings_that_nobody_has_worked_on_say_nothing(house: DispatchHouse, aws: None) -> None:
    boto3.client("securityhub").enable_security_hub()
    house.found(HIGH)
    channel = SecurityHub(HUB)
    house.dispatch({"hub": channel})
    assert len(boto3.client("securityhub").get_findings()["Findings"]) >= 1
    assert channel.heard(CONTEXT) == []


def test_of_a_batch_only_refused_findings_fail(
    house: DispatchHouse, keys: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    incidents = [replace(HIGH, id=f"{number:036d}") for number in range(130)]
    house.found(*incidents)
    channel = SecurityHub(HUB)
    bad = channel.shape(incidents[5], CONTEXT, 1)["Id"]
    slow = channel.shape(incidents[7], CONTEXT, 1)["Id"]
    failed = [
        {"Id": bad, "ErrorCode": "InvalidInput", "ErrorMessage": "no"},
        {"Id": slow, "ErrorCode": "InternalException", "ErrorMessage": "later"},
    ]
    replies = [
        said({"FailedCount": failures, "SuccessCount": successes, "FailedFindings": findings})
        for failures, successes, findings in ((2, 98, failed), (0, 30, []))
    ]
    with answering(monkeypatch, "SECURITYHUB", *replies) as hub:
        result = house.dispatch({"hub": channel})
    assert [len(json.loads(asked.body)["Findings"]) for asked in hub.asked] == [100, 30]
    assert len(result.delivered) == 128
    assert result.dead == ((f"hub/{incidents[5].id}/1.json", "InvalidInput: no"),)
    assert result.waiting == ((f"hub/{incidents[7].id}/1.json", "InternalException: later"),)


def test_events_reach_a_rule_and_only_failed_entries_fail(
    house: DispatchHouse, aws: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = boto3.client("events")
    queue = boto3.resource("sqs").create_queue(QueueName="events")
    pattern = {"source": ["bartizan"], "detail": {"severityLabel": ["CRITICAL"]}}
    events.put_rule(Name="bartizan", EventPattern=json.dumps(pattern))
    target = {"Id": "queue", "Arn": queue.attributes["QueueArn"]}
    events.put_targets(Rule="bartizan", Targets=[target])
    house.found(HIGH)
    assert len(house.dispatch({"bus": EventBridge(BUS)}).delivered) == 1
    (message,) = received(queue)
    event = json.loads(message.body)
    assert event["detail-type"] == "Bartizan Incident Opened"
    assert event["detail"]["incidentId"] == HIGH.id
    assert event["detail"]["event"]["anomalyGroupId"] == HIGH.id

    channel = EventBridge(BUS)
    batch = [outgoing(channel.shape(HIGH, CONTEXT, change), change=change) for change in (1, 2, 3)]
    entries = [
        {"EventId": "e-1"},
        {"ErrorCode": "ThrottlingException", "ErrorMessage": "slow down"},
        {"ErrorCode": "MalformedDetail", "ErrorMessage": "no"},
    ]
    reply = said({"FailedEntryCount": 2, "Entries": entries})
    with answering(monkeypatch, "EVENTBRIDGE", reply) as service:
        outcomes = channel.send(batch)
    (asked,) = service.asked
    assert len(json.loads(asked.body)["Entries"]) == 3
    assert [one.result for one in outcomes] == [
        *[Result.DELIVERED, Result.TRANSIENT, Result.PERMANENT]
    ]


def test_machines_get_the_lookout_event_of_a_topic_and_people_words(
    house: DispatchHouse, aws: None
) -> None:
    topic = boto3.client("sns").create_topic(Name="alerts")["TopicArn"]
    queue = queue_of(topic, "alerts")
    house.found(HIGH)
    channel = Sns(SnsOptions(kind="sns", topic=topic))
    assert len(house.dispatch({"topic": channel}).delivered) == 1
    (message,) = received(queue)
    event = json.loads(message.body)
    assert event["alertName"] == HIGH.detector
    assert event["anomalyGroupId"] == HIGH.id
    attributes = {name: one["StringValue"] for name, one in message.message_attributes.items()}
    assert attributes["severityLabel"] == "CRITICAL"
    assert attributes["webacl"] == "shop"
    assert attributes["changeKind"] == "opened"
    said = json.loads(channel.shape(HIGH, CONTEXT, 1)["Message"])
    assert set(said) == {"default", "email", "sms"}
    assert said["email"].startswith("Blocked requests ran above the expected range")


def test_a_fifo_topic_drops_a_repeat_and_keeps_the_order(house: DispatchHouse, aws: None) -> None:
    fifo = {"FifoTopic": "true", "ContentBasedDeduplication": "false"}
    topic = boto3.client("sns").create_topic(Name="alerts.fifo", Attributes=fifo)["TopicArn"]
    queue = queue_of(topic, "alerts.fifo", FifoQueue="true")
    channel = Sns(SnsOptions(kind="sns", topic=topic))
    first, second = (outgoing(channel.shape(HIGH, CONTEXT, n), change=n) for n in (1, 2))
    for one in (first, replace(first, repeated=True), second):
        assert channel.send([one])[0].result is Result.DELIVERED
    changes = [json.loads(message.body)["changeNumber"] for message in received(queue)]
    assert changes == [1, 2]
    assert first.message.key != second.message.key


def test_a_function_is_invoked_with_the_event(keys: None, monkeypatch: pytest.MonkeyPatch) -> None:
    channel = Lambda(LambdaOptions(kind="lambda", function="alerts", region=REGION))
    event = channel.shape(HIGH, CONTEXT, 1)
    text = json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()
    done = Reply(202, b"", {"x-amzn-RequestId": "r-1"})
    with answering(monkeypatch, "LAMBDA", done) as service:
        assert channel.send([outgoing(event)]) == [Outcome.delivered("r-1")]
    (asked,) = service.asked
    assert asked.path.endswith("/functions/alerts/invocations")
    assert (asked.headers["X-Amz-Invocation-Type"], asked.body) == ("Event", text)


def test_a_function_that_is_not_there_refuses_for_good(aws: None) -> None:
    channel = Lambda(LambdaOptions(kind="lambda", function="nobody", region=REGION))
    (outcome,) = channel.send([outgoing(channel.shape(HIGH, CONTEXT, 1))])
    assert outcome.result is Result.PERMANENT
    assert outcome.detail.startswith("ResourceNotFoundException")


@pytest.mark.parametrize("role", [None, ROLE])
def test_a_role_is_assumed(role: str | None, aws: None, monkeypatch: pytest.MonkeyPatch) -> None:
    channel = EventBridge(EventBridgeOptions(kind="eventbridge", region=REGION, role_arn=role))
    reply = said({"FailedEntryCount": 0, "Entries": [{"EventId": "e-1"}]})
    with answering(monkeypatch, "EVENTBRIDGE", reply) as service:
        channel.send([outgoing(channel.shape(HIGH, CONTEXT, 1))])
    (asked,) = service.asked
    own_keys = "Credential=testing/" in asked.headers["Authorization"]
    assert (own_keys, "X-Amz-Security-Token" in asked.headers) == (role is None, role is not None)


@pytest.mark.parametrize(
    ("code", "status", "result"),
    [
        ("ThrottlingException", 400, Result.TRANSIENT),
        ("InternalError", 500, Result.TRANSIENT),
        ("AccessDeniedException", 403, Result.TRANSIENT),
        ("ExpiredToken", 403, Result.TRANSIENT),
        ("InvalidInputException", 400, Result.PERMANENT),
    ],
)
def test_what_aws_answers_is_for_now_or_for_good(
    code: str, status: int, result: Result, keys: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel = EventBridge(BUS)
    refusal = said({"__type": code, "message": "text"}, status)
    with answering(monkeypatch, "EVENTBRIDGE", refusal):
        outcomes = channel.send(
            [outgoing(channel.shape(HIGH, CONTEXT, n), change=n) for n in (1, 2)]
        )
    assert [one.result for one in outcomes] == [result, result]
    assert {one.detail for one in outcomes} == {f"{code}: text"}


def test_nobody_at_the_endpoint_is_for_now(monkeypatch: pytest.MonkeyPatch, aws: None) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    channel = EventBridge(BUS)
    (outcome,) = channel.send([outgoing(channel.shape(HIGH, CONTEXT, 1))])
    assert outcome.result is Result.TRANSIENT
