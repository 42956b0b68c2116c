"""E-mail over STARTTLS with a log-in: nothing and no password goes to whom it should not."""

from __future__ import annotations

import email
import email.policy
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from certificates import certified
from dispatch_house import CONTEXT, HIGH, DispatchHouse, outgoing
from mail_server import MailServer, receiving

from bartizan.described import check
from bartizan.dispatch.channels.base import Outcome
from bartizan.dispatch.channels.email import Email, EmailOptions
from bartizan.errors import ConfigError
from bartizan.model.period import Period
from bartizan.store.outbox import Result

PASSWORD = "correct horse"
ACCOUNT = ("bartizan", PASSWORD)
PLAIN: Mapping[str, Any] = {
    "kind": "email",
    "host": "localhost",
    "sender": "bartizan@example.com",
    "to": ["waf@example.com"],
}
LOG_IN = PLAIN | {"user": "bartizan", "secret": "mail"}


@pytest.fixture
def house(tmp_path: Path) -> DispatchHouse:
    return DispatchHouse(tmp_path)


@pytest.fixture
def tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """Of a server that is trusted here."""
    context, certificate = certified("localhost", tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    return context


def channel(
    house: DispatchHouse, server: MailServer, password: str = PASSWORD, **more: Any
) -> Email:
    options = EmailOptions(**(LOG_IN | {"port": server.port} | more))
    return Email(options, house.site(mail=password))


def once(one: Email) -> Outcome:
    (outcome,) = one.send([outgoing(one.shape(HIGH, CONTEXT, 1))])
    return outcome


def test_after_starttls_and_a_log_in_the_mail_arrives(
    house: DispatchHouse, tls: ssl.SSLContext
) -> None:
    with receiving(tls, ACCOUNT) as server:
        outcome = once(channel(house, server))
    assert outcome.result is Result.DELIVERED, outcome.detail
    assert len(server.mails) == 1
    assert server.clear == ["EHLO", "STARTTLS"]


def test_a_digest_is_a_page_beside_its_text(house: DispatchHouse, tls: ssl.SSLContext) -> None:
    house.found(HIGH)
    house.clock.turn(days=1)
    with receiving(tls, ACCOUNT) as server:
        channels = {"mail": channel(house, server)}
        assert len(house.dispatch(channels, digests={"mail": Period.DAILY}).delivered) == 1
        house.clock.turn(hours=1)
        assert house.dispatch(channels, digests={"mail": Period.DAILY}).delivered == ()
    (raw,) = server.mails
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    assert mail.get_content_type() == "multipart/alternative"
    text, page = (part.get_content() for part in mail.iter_parts())
    assert text.startswith("# Digest, 2026-11-17 00:00 UTC to 2026-11-18 00:00 UTC")
    assert page.startswith("<!doctype html>")
    assert "No incident started in this time." in page  # HIGH was the day before


def test_a_wrong_password_is_for_good_and_stands_nowhere(
    house: DispatchHouse, tls: ssl.SSLContext, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(0)
    house.found(HIGH)
    with receiving(tls, ACCOUNT) as server:
        done = house.dispatch({"mail": channel(house, server, password="guessed")})
    assert [why for _, why in done.dead] == ["SMTP 535: the log-in is refused"]
    assert house.rows("state", "reason") == [("dead", "SMTP 535: the log-in is refused")]
    assert "guessed" not in caplog.text + str(done)
    assert server.mails == []


def test_a_certificate_that_is_not_trusted_is_named_and_gets_nothing(
    house: DispatchHouse, tmp_path: Path
) -> None:
    context, _ = certified("localhost", tmp_path)
    with receiving(context, ACCOUNT) as server:
        outcome = once(channel(house, server))
    assert outcome.result is Result.TRANSIENT
    assert outcome.detail.startswith("localhost: its certificate is not trusted (self")
    assert (server.clear, server.mails) == (["EHLO", "STARTTLS"], [])


def test_a_certificate_of_another_name_is_not_trusted(
    house: DispatchHouse, tls: ssl.SSLContext
) -> None:
    with receiving(tls, ACCOUNT) as server:
        outcome = once(channel(house, server, host="127.0.0.1"))
    assert outcome.result is Result.TRANSIENT
    assert "its certificate is not trusted (IP address mismatch" in outcome.detail
    assert server.mails == []


@pytest.mark.parametrize("log_in", [True, False])
def test_without_starttls_nothing_goes_in_clear(house: DispatchHouse, log_in: bool) -> None:
    with receiving(account=ACCOUNT) as server:
        more = {} if log_in else {"user": None, "secret": None}
        outcome = once(channel(house, server, **more))
    assert outcome.result is Result.TRANSIENT
    assert outcome.detail == (
        "localhost: STARTTLS extension not supported by server; nothing was sent"
    )
    assert set(server.clear) <= {"EHLO", "QUIT"}
    assert server.mails == []


def test_starttls_that_is_refused_for_now_is_tried_again(
    house: DispatchHouse, tls: ssl.SSLContext
) -> None:
    with receiving(tls, ACCOUNT, STARTTLS="454 not now") as server:
        outcome = once(channel(house, server))
    assert (outcome.result, server.mails) == (Result.TRANSIENT, [])


def test_a_server_without_log_in_gets_nothing(house: DispatchHouse, tls: ssl.SSLContext) -> None:
    with receiving(tls) as server:
        outcome = once(channel(house, server))
    assert outcome.result is Result.TRANSIENT
    assert "AUTH extension not supported" in outcome.detail
    assert server.mails == []


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (LOG_IN | {"tls": "none"}, "a log-in would go in clear"),
        (PLAIN | {"user": "bartizan"}, "user and secret go together"),
        (PLAIN | {"secret": "mail"}, "user and secret go together"),
    ],
)
def test_options_that_would_send_a_password_in_clear_or_none_are_refused(
    options: Mapping[str, Any], says: str
) -> None:
    with pytest.raises(ConfigError, match=says):
        check(options, "alerts.yaml: channels.mail", EmailOptions)
