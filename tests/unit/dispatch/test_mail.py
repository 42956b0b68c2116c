"""E-mail over a server on loopback: what arrives, and what is said of what does not."""

from __future__ import annotations

import email
import email.policy
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from dispatch_house import CONTEXT, DispatchHouse, outgoing
from incidents import anomaly, incident
from mail_server import MailServer, receiving

from bartizan.dispatch.channels.email import Email, EmailOptions
from bartizan.store.outbox import Result

HOSTILE = "<script>alert(1)</script>\u202e\x1b[31m\r\nBcc: all@example.com"
ONE = incident(
    [anomaly(3, {"webacl": "shop", "uri": HOSTILE}), anomaly(4, {"webacl": "shop", "uri": "/"})],
    samples=({"client_ip": "198.51.100.7", "uri": HOSTILE, "host": "shop.example.com"},),
)


@pytest.fixture
def house(tmp_path: Path) -> DispatchHouse:
    return DispatchHouse(tmp_path)


def channel(house: DispatchHouse, server: MailServer, **options: Any) -> Email:
    given: dict[str, Any] = {
        "kind": "email",
        "host": "127.0.0.1",
        "port": server.port,
        "tls": "none",
        "sender": "bartizan@example.com",
        "to": ["a@example.com", "b@example.com"],
    }
    return Email(EmailOptions(**(given | options)), house.site(mail="password"))


class Tags(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [str(value) for name, value in attrs if name in ("href", "src")]


def test_a_mail_says_it_in_text_in_html_and_with_a_picture(house: DispatchHouse) -> None:
    with receiving() as server:
        house.found(ONE)
        assert len(house.dispatch({"mail": channel(house, server)}).delivered) == 1
    assert server.recipients == ["a@example.com", "b@example.com"]
    (raw,) = server.mails
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    assert mail.defects == []
    assert mail["To"] == "a@example.com, b@example.com"
    assert mail["Bcc"] is None
    assert mail["Subject"].isprintable()
    assert mail["Date"] == "Tue, 17 Nov 2026 09:00:00 +0000"
    receipt = house.rows("state", "receipt")
    assert receipt == [("delivered", mail["Message-ID"])]
    text = mail.get_body(("plain",)).get_content()
    assert "<script>alert(1)</script>\\u202e\\u001b[31m" in text
    page = Tags(html := mail.get_body(("html",)).get_content())
    assert "script" not in page.tags
    assert "&lt;script&gt;" in html
    assert page.links == ["cid:picture", CONTEXT.incident_url(ONE.id)]
    (picture,) = [part for part in mail.walk() if part.get_content_type() == "image/png"]
    assert picture["Content-ID"] == "<picture>"
    assert picture.get_content().startswith(b"\x89PNG")


def test_a_repeat_has_the_same_id_and_says_so(house: DispatchHouse) -> None:
    with receiving(dot="") as lost:
        house.found(ONE)
        house.dispatch({"mail": channel(house, lost)})
    assert house.states() == [(1, "intended")]
    house.clock.turn(minutes=1)
    with receiving() as server:
        house.dispatch({"mail": channel(house, server)})
    first, again = (email.message_from_bytes(mail) for mail in (*lost.mails, *server.mails))
    assert first["Message-ID"] == again["Message-ID"]
    assert (first["X-Bartizan-Possibly-Repeated"], again["X-Bartizan-Possibly-Repeated"]) == (
        *(None, "yes"),
    )


@pytest.mark.parametrize(
    ("refusals", "result"),
    [
        ({"MAIL": "451 later"}, Result.TRANSIENT),
        ({"MAIL": "550 never"}, Result.PERMANENT),
        ({"RCPT": "550 no such user"}, Result.PERMANENT),
        ({"RCPT": "450 greylisted"}, Result.TRANSIENT),
        ({"dot": "552 too large"}, Result.PERMANENT),
        ({"dot": ""}, Result.UNKNOWN),
        ({"EHLO": "", "HELO": ""}, Result.UNKNOWN),
    ],
)
def test_what_a_server_refuses(
    house: DispatchHouse, refusals: dict[str, str], result: Result
) -> None:
    with receiving(**refusals) as server:
        one = channel(house, server)
        (outcome,) = one.send([outgoing(one.shape(ONE, CONTEXT, 1))])
    assert outcome.result is result
    assert len(server.mails) == (refusals.get("dot") == "")


def test_nobody_there_is_for_now(house: DispatchHouse) -> None:
    with receiving() as server:
        pass
    gone = channel(house, server)
    payload = gone.shape(replace(ONE, anomalies=ONE.anomalies[:1]), CONTEXT, 1)
    assert gone.send([outgoing(payload)])[0].result is Result.TRANSIENT
