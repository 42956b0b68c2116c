"""Who was told hears who acknowledged or snoozed it: once, in the thread, and harmless."""

from __future__ import annotations

import email
import email.policy
import json
from dataclasses import replace
from datetime import timedelta
from functools import cache
from pathlib import Path

import pytest
from botocore.model import Shape
from botocore.session import get_session
from botocore.validate import ParamValidator
from dispatch_house import CONTEXT, HIGH, LOW, START, DispatchHouse, Recorder
from hypothesis import given, settings
from hypothesis import strategies as st
from mail_server import receiving

from bartizan.dispatch.alerts import read_alerts
from bartizan.dispatch.channels.base import Outcome
from bartizan.dispatch.channels.email import Email, EmailOptions
from bartizan.dispatch.channels.folder import CONFIRMATIONS
from bartizan.dispatch.rulebook import Rule
from bartizan.errors import ConfigError
from bartizan.model.anomaly import IncidentState
from bartizan.model.confirmation import Confirmation
from bartizan.model.handling import Handling, HandlingKind
from bartizan.model.period import Period
from bartizan.model.stand import Stand
from bartizan.store.outbox import retry

RULES = (
    Rule(channels=frozenset({"chat", "record", "day"})),
    Rule(channels=frozenset({"loud"}), min_severity=99),
)


@pytest.fixture
def house(tmp_path: Path) -> DispatchHouse:
    house = DispatchHouse(tmp_path)
    house.found(HIGH, LOW)
    return house


def words(channel: Recorder) -> list[str]:
    return [one.payload["blocks"][0]["text"]["text"] for one in channel.sent if one.about]


def test_those_who_were_told_hear_of_it_once(house: DispatchHouse) -> None:
    channels = {name: Recorder() for name in ("chat", "loud", "record", "day")}

    def tell() -> None:
        confirms = ("chat", "loud", "day")
        house.dispatch(channels, rules=RULES, digests={"day": Period.DAILY}, confirms=confirms)

    tell()
    house.clock.turn(minutes=5)
    house.handle(HandlingKind.ACKNOWLEDGE)
    house.handle(HandlingKind.ACKNOWLEDGE, one=LOW)  # nobody was told of that
    for _ in range(3):
        tell()
        house.clock.turn(minutes=10)
    assert words(channels["chat"]) == [
        "Acknowledged by Ada: known scanner\n"
        "Blocked requests 20 times the usual: webacl shop, rule SQLi"
    ]
    assert all(words(channels[name]) == [] for name in ("loud", "record", "day"))
    first, confirmation = channels["chat"].sent
    assert confirmation.thread == first.thread == HIGH.id
    assert confirmation.first_receipt == first.message.key
    assert confirmation.message.key != first.message.key


def test_only_what_was_done_last_is_told(house: DispatchHouse) -> None:
    chat = Recorder()
    house.dispatch({"chat": chat}, confirms=["chat"])
    house.handle(HandlingKind.ACKNOWLEDGE)
    house.handle(HandlingKind.SNOOZE, 4, by="Bo")
    house.dispatch({"chat": chat}, confirms=["chat"])
    house.handle(HandlingKind.RESUME, by="Cy", why="")
    house.dispatch({"chat": chat}, confirms=["chat"])
    assert [text.partition("\n")[0] for text in words(chat)] == [
        f"Snoozed by Bo until {START + timedelta(hours=4):%Y-%m-%d %H:%M} UTC: known scanner",
        "Acknowledgement and snooze taken back by Cy",
    ]


@pytest.mark.parametrize("late", [True, False])
def test_old_news_and_what_is_over_are_no_news(house: DispatchHouse, late: bool) -> None:
    chat = Recorder()
    house.dispatch({"chat": chat}, confirms=["chat"])
    house.handle(HandlingKind.ACKNOWLEDGE)
    if late:
        house.clock.turn(hours=6)
    else:
        house.found(replace(HIGH, state=IncidentState.RESOLVED))
    house.dispatch({"chat": chat}, confirms=["chat"])
    assert words(chat) == []
    assert len(chat.sent) == (1 if late else 2)


def test_one_that_fails_is_tried_again_under_its_key(house: DispatchHouse) -> None:
    answers = iter([Outcome.delivered("1"), Outcome.transient("503"), Outcome.permanent("400")])
    chat = Recorder(lambda one: next(answers, Outcome.delivered("2")))
    house.dispatch({"chat": chat}, confirms=["chat"])
    house.handle(HandlingKind.ACKNOWLEDGE)
    for _ in range(2):
        house.dispatch({"chat": chat}, confirms=["chat"])
        house.clock.turn(minutes=2)
    (reason,) = [row[1] for row in house.rows("state", "reason") if row[0] == "dead"]
    assert reason == "400"
    assert len(retry(house.store, None, house.clock.now)) == 1
    house.dispatch({"chat": chat}, confirms=["chat"])
    assert len({one.message.key for one in chat.sent if one.about}) == 1
    assert [row[0] for row in house.rows("state")].count("delivered") == 2


def test_a_mail_of_it_is_in_the_thread_of_the_incident(house: DispatchHouse) -> None:
    with receiving() as server:
        options = EmailOptions(
            kind="email",
            host="127.0.0.1",
            port=server.port,
            tls="none",
            sender="a@example.com",
            to=["b@example.com"],
        )
        channels = {"mail": Email(options, house.site())}
        house.dispatch(channels, confirms=["mail"])
        house.handle(HandlingKind.ACKNOWLEDGE, why="<script>\r\nBcc: x@example.com")
        house.dispatch(channels, confirms=["mail"])
    first, second = (
        email.message_from_bytes(mail, policy=email.policy.default) for mail in server.mails
    )
    assert first["References"] == second["References"]
    assert first["Message-ID"] != second["Message-ID"]
    assert second["Bcc"] is None
    text, page = (part.get_content() for part in second.iter_parts())
    assert text.splitlines()[0] == "Acknowledged by Ada: <script>\\u000d\\u000aBcc: x@example.com"
    assert "<script>" not in page and CONTEXT.incident_url(HIGH.id) in page


@cache
def publish() -> Shape:
    return get_session().get_service_model("sns").operation_model("Publish").input_shape


_hostile = st.sampled_from(["", "<!channel>", "\u202e\r\nX: y", '"' * 9000, "🦊" * 9000, "a\x00"])


@settings(max_examples=40)
@given(st.sampled_from(HandlingKind), _hostile | st.text(), _hostile | st.text())
def test_every_shape_stays_within_limits(kind: HandlingKind, by: str, why: str) -> None:
    until = START + timedelta(hours=1) if kind is HandlingKind.SNOOZE else None
    done = Handling(HIGH.id, 1, kind, by, why, START, until, Stand.of(HIGH))
    found = Confirmation(HIGH, done)
    payloads = {name: shape(found, CONTEXT) for name, shape in CONFIRMATIONS.items()}
    (block,) = payloads["slack"]["blocks"]
    assert block["text"]["type"] == "plain_text" and len(block["text"]["text"]) <= 3_000
    assert not {"<", ">"} & set(payloads["slack"]["text"])
    mail = payloads["email"]
    assert mail["subject"].isprintable() and len(mail["subject"]) < 100
    assert all(line.isprintable() for line in mail["body"].split("\n"))
    request = payloads["sns"] | {"TopicArn": "arn:aws:sns:us-east-1:111122223333:t"}
    assert not ParamValidator().validate(request, publish()).has_errors()
    assert len(request["Message"].encode()) <= 256_000
    said = json.loads(request["Message"])
    assert json.loads(said["default"])["handled"] == kind.value
    assert len(said["sms"]) <= 160


CHANNELS = """channels:
  talk: {kind: slack, secret: slack}
  topic: {kind: sns, topic: "arn:aws:sns:eu-central-1:111122223333:t"}
  hook: {kind: webhook, url: "https://hooks.example.com/", secret: hook}
  shown: {kind: folder, of: email}
"""


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("", {"talk", "shown"}),
        ("confirm: [topic]", {"topic"}),
        ("confirm: []", set()),
        ("confirm: [hook]", "confirm: hook: webhook takes no confirmation"),
        ("confirm: [chat]", "confirm: 'chat' is unknown"),
    ],
)
def test_alerts_yaml_names_who_is_told(
    house: DispatchHouse, tmp_path: Path, line: str, names: set[str] | str
) -> None:
    path = tmp_path / "alerts.yaml"
    path.write_text(CHANNELS + line)
    if isinstance(names, str):
        with pytest.raises(ConfigError, match=names):
            read_alerts(path, house.site(), [])
    else:
        assert read_alerts(path, house.site(), []).confirms == names
