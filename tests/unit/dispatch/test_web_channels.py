"""Webhook, Slack and PagerDuty against a server on loopback, and where they may connect to."""

from __future__ import annotations

import hashlib
import hmac
import json
import socket
from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
import urllib3
from certificates import certified
from dispatch_house import CONTEXT, HIGH, DispatchHouse, outgoing
from web_server import Reply, serving

from bartizan.dispatch.channels import http
from bartizan.dispatch.channels.addresses import is_public
from bartizan.dispatch.channels.base import Channel, Site
from bartizan.dispatch.channels.pagerduty import PagerDuty, PagerDutyOptions
from bartizan.dispatch.channels.slack import Slack, SlackOptions
from bartizan.dispatch.channels.webhook import Webhook, WebhookOptions
from bartizan.dispatch.secrets import secret
from bartizan.model.anomaly import IncidentState
from bartizan.store.outbox import Result

LOOPBACK = ["127.0.0.0/8"]
RESOLVED = replace(HIGH, state=IncidentState.RESOLVED)
KEY = "a-key-that-nobody-may-see"


@pytest.fixture
def house(tmp_path: Path) -> DispatchHouse:
    return DispatchHouse(tmp_path)


def webhook(house: DispatchHouse, url: str, allow: list[str] = LOOPBACK, **options: Any) -> Webhook:
    given = WebhookOptions(kind="webhook", url=url, secret="hook", allow=allow, **options)
    return Webhook(given, house.site(hook=KEY))


def once(channel: Channel) -> Any:
    return channel.send([outgoing(channel.shape(HIGH, CONTEXT, 1))])[0]


def test_a_webhook_is_signed_and_carries_its_key(house: DispatchHouse) -> None:
    with serving(Reply(202, headers={"X-Request-Id": "r-7"})) as server:
        house.found(HIGH)
        house.dispatch({"hook": webhook(house, server.url())})
    (asked,) = server.asked
    timestamp = asked.headers["Bartizan-Timestamp"]
    assert int(timestamp) == house.clock.now.timestamp()
    mac = hmac.new(KEY.encode(), timestamp.encode() + b"." + asked.body, hashlib.sha256)
    assert asked.headers["Bartizan-Signature"] == f"v1={mac.hexdigest()}"
    body = json.loads(asked.body)
    assert (body["schemaVersion"], body["incidentId"], body["changeNumber"]) == (1, HIGH.id, 1)
    assert body["event"]["anomalyGroupId"] == HIGH.id
    assert house.rows("state", "receipt") == [("delivered", "HTTP 202 r-7")]


def test_every_attempt_has_the_same_key_whatever_the_server_does(house: DispatchHouse) -> None:
    replies = (Reply(503), Reply(0), Reply(429, headers={"Retry-After": "1800"}), Reply(204))
    with serving(*replies) as server:
        channels = {"hook": webhook(house, server.url())}
        house.found(HIGH)
        for _ in replies:
            house.dispatch(channels)
            house.clock.turn(minutes=20)
        assert len(server.asked) == 3  # Retry-After is not over
        house.clock.turn(minutes=20)
        house.dispatch(channels)
    assert len(server.asked) == 4
    assert len({asked.headers["Idempotency-Key"] for asked in server.asked}) == 1
    assert len({asked.body for asked in server.asked}) == 1
    assert [result for _, _, result in house.attempts()] == [
        *["transient", "unknown", "transient", "delivered"]
    ]


@pytest.mark.parametrize(
    ("reply", "result", "pause"),
    [
        (Reply(200), Result.DELIVERED, 0),
        (Reply(408), Result.TRANSIENT, 0),
        (Reply(429, headers={"Retry-After": "120"}), Result.TRANSIENT, 120),
        (
            Reply(503, headers={"Retry-After": "Tue, 17 Nov 2026 10:00:00 GMT"}),
            Result.TRANSIENT,
            3600,
        ),
        (Reply(500, headers={"Retry-After": "soon"}), Result.TRANSIENT, 0),
        (Reply(302, headers={"Location": "http://169.254.169.254/"}), Result.PERMANENT, 0),
        (Reply(400, b"<script>\x1b[31m" + b"x" * 10**6), Result.PERMANENT, 0),
        (Reply(0), Result.UNKNOWN, 0),
        (Reply(202, twice=True), Result.DELIVERED, 0),
    ],
)
def test_what_a_server_answers(
    house: DispatchHouse, reply: Reply, result: Result, pause: int
) -> None:
    with serving(reply) as server:
        outcome = once(webhook(house, server.url()))
    assert len(server.asked) == 1
    assert (outcome.result, outcome.retry_after) == (result, timedelta(seconds=pause))
    assert outcome.detail.isprintable()
    assert len(outcome.detail) <= 500


def test_a_server_that_never_answers(house: DispatchHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "TIMEOUT", urllib3.Timeout(connect=0.2, read=0.2))
    with serving(Reply(hangs=True)) as server:
        assert once(webhook(house, server.url())).result is Result.UNKNOWN
    assert once(webhook(house, server.url())).result is Result.TRANSIENT  # nobody is there


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.1.2.3", "169.254.169.254", "192.168.1.1", "0.0.0.0", "100.64.0.1"),
        *("::1", "fe80::1", "fd00::1", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe"),
        *("2002:7f00:1::", "224.0.0.1", "198.51.100.7", "240.0.0.1"),
    ],
)
def test_addresses_that_the_internet_does_not_route(address: str) -> None:
    assert not is_public(ip_address(address))


def test_addresses_that_the_internet_routes() -> None:
    assert all(is_public(ip_address(one)) for one in ("8.8.8.8", "2001:4860:4860::8888"))


@pytest.mark.parametrize("url", ["http://127.0.0.1:{port}/", "http://localhost:{port}/"])
def test_private_addresses_are_refused_unless_allowed(house: DispatchHouse, url: str) -> None:
    with serving() as server:
        target = url.format(port=server.port)
        outcome = once(webhook(house, target, allow=["10.0.0.0/8"]))
        assert outcome.result is Result.PERMANENT
        assert "is no public address" in outcome.detail
        assert server.asked == []
        assert once(webhook(house, target, allow=["127.0.0.1", "::1"])).result is Result.DELIVERED


def test_a_name_that_resolves_elsewhere_the_second_time(
    house: DispatchHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is connected to is the address that was checked: the name is looked up once."""
    real, looked_up = socket.getaddrinfo, []

    def rebinding(host: str, port: int, *args: Any, **kwargs: Any) -> Any:
        if host != "hooks.example.com":
            return real(host, port, *args, **kwargs)
        looked_up.append(host)
        address = "127.0.0.1" if len(looked_up) == 1 else "169.254.169.254"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    with serving() as server:
        outcome = once(webhook(house, server.url("hooks.example.com")))
    assert outcome.result is Result.DELIVERED
    assert looked_up == ["hooks.example.com"]
    assert server.asked[0].headers["Host"] == f"hooks.example.com:{server.port}"


def test_a_public_host_is_not_spoken_to_without_tls(
    house: DispatchHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("8.8.8.8", 80))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_more: found)
    outcome = once(webhook(house, "http://hooks.example.com/"))
    assert (outcome.result, "without TLS" in outcome.detail) == (Result.PERMANENT, True)


@pytest.mark.parametrize(("name", "is_right"), [("hooks.example.com", True), ("other", False)])
def test_tls_is_checked_against_the_name_not_the_address(
    house: DispatchHouse,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    name: str,
    is_right: bool,
) -> None:
    context, certificate = certified(name, tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))

    def looked_up(_host: str, port: int, *_args: Any, **_more: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr(socket, "getaddrinfo", looked_up)
    with serving(tls=context) as server:
        url = f"https://hooks.example.com:{server.port}/hook"
        outcome = once(webhook(house, url))
    expected = (Result.DELIVERED, 1) if is_right else (Result.TRANSIENT, 0)
    assert (outcome.result, len(server.asked)) == expected


def test_slack_by_webhook_shows_its_url_nowhere(house: DispatchHouse) -> None:
    with serving(Reply(404, b"no_service")) as server:
        options = SlackOptions(kind="slack", secret="slack", allow=LOOPBACK)
        url = server.url(path=f"/services/{KEY}")
        house.found(HIGH)
        house.dispatch({"slack": Slack(options, house.site(slack=url))})
    assert server.asked[0].path == f"/services/{KEY}"
    assert json.loads(server.asked[0].body)["blocks"]
    assert house.rows("state", "reason") == [("dead", "HTTP 404: no_service")]
    refused = Slack(SlackOptions(kind="slack", secret="slack"), house.site(slack=url))
    assert KEY not in once(refused).detail


def test_slack_by_token_replies_in_the_incidents_thread(house: DispatchHouse) -> None:
    def says(**answer: Any) -> Reply:
        return Reply(200, json.dumps(answer).encode())

    replies = (says(ok=True, channel="C1", ts="17.1"), says(ok=False, error="ratelimited"))
    with serving(*replies, says(ok=True, channel="C1", ts="17.2")) as server:
        options = SlackOptions(
            kind="slack", secret="slack", channel="C1", api=server.url(), allow=LOOPBACK
        )
        channels = {"slack": Slack(options, house.site(slack=KEY))}
        for state in (IncidentState.OPEN, IncidentState.RESOLVED):
            house.found(HIGH if state is IncidentState.OPEN else RESOLVED)
            house.dispatch(channels)
            house.clock.turn(minutes=2)
        house.dispatch(channels)
    messages = [json.loads(asked.body) for asked in server.asked]
    assert [message.get("thread_ts") for message in messages] == [None, "17.1", "17.1"]
    assert {asked.headers["Authorization"] for asked in server.asked} == {f"Bearer {KEY}"}
    assert [result for _, _, result in house.attempts()] == [
        *["delivered", "transient", "delivered"]
    ]


def test_pagerduty_triggers_and_resolves_one_alert(house: DispatchHouse) -> None:
    refusal = Reply(400, json.dumps({"message": f"bad routing_key {KEY}"}).encode())
    with serving(Reply(202), Reply(429), Reply(202), refusal) as server:
        options = PagerDutyOptions(
            kind="pagerduty", secret="pager", url=server.url(), allow=LOOPBACK
        )
        channels: dict[str, Channel] = {"pager": PagerDuty(options, house.site(pager=KEY))}
        house.found(HIGH)
        house.dispatch(channels)
        house.found(RESOLVED)
        house.dispatch(channels)
        house.clock.turn(minutes=1)
        house.dispatch(channels)
        house.found(HIGH)
        house.dispatch(channels)
    events = [json.loads(asked.body) for asked in server.asked]
    assert [event["event_action"] for event in events] == [
        *["trigger", "resolve", "resolve", "trigger"]
    ]
    assert {event["dedup_key"] for event in events} == {HIGH.id}
    assert {event["routing_key"] for event in events} == {KEY}
    assert events[0]["payload"]["severity"] == "critical"
    assert house.rows("reason")[-1] == ('HTTP 400: {"message": "bad routing_key ***"}',)
    assert KEY not in str(house.rows("receipt", "reason"))


def test_a_missing_secret_is_for_now(house: DispatchHouse) -> None:
    house.found(HIGH)
    site = Site(lambda name: secret(name, env={}), house.site().outbox, house.clock)
    options = PagerDutyOptions(kind="pagerduty", secret="pager")
    result = house.dispatch({"pager": PagerDuty(options, site)})
    assert "BARTIZAN_SECRET_PAGER: is not set" in result.waiting[0][1]
