"""E-mail by SMTP: plain text, HTML and a picture."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Sequence
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Annotated, Literal

from pydantic import Field, model_validator

from bartizan.described import wrong
from bartizan.dispatch.channels.base import (
    Channel,
    ChannelOptions,
    Outcome,
    Outgoing,
    Payload,
    SecretName,
    Site,
)
from bartizan.dispatch.context import Context
from bartizan.dispatch.digest import Digest
from bartizan.dispatch.shapes import confirmation, digest, email
from bartizan.model.anomaly import Incident
from bartizan.model.confirmation import Confirmation
from bartizan.model.text import short

_TIMEOUT = 10  # seconds, of each command
_LOG_IN = "the log-in is refused"  # a server's own words may repeat what it was sent
MailAddress = Annotated[str, Field(pattern=r"^[^\s@<>\",;:]+@[A-Za-z0-9.-]+$", max_length=320)]


class EmailOptions(ChannelOptions):
    """`secret`: the password of `user`. `tls`: `starttls`, `tls` from the start, or `none`."""

    kind: Literal["email"]
    host: str
    port: Annotated[int, Field(ge=1, le=65535)] = 587
    tls: Literal["starttls", "tls", "none"] = "starttls"
    user: str | None = None
    secret: SecretName | None = None
    sender: MailAddress
    to: Annotated[list[MailAddress], Field(min_length=1)]

    @model_validator(mode="after")
    def _logs_in_safely(self) -> EmailOptions:
        if (self.user is None) != (self.secret is None):
            raise wrong("user and secret go together", "write both, or none of them")
        if self.user is not None and self.tls == "none":
            raise wrong("a log-in would go in clear", "write tls: starttls or tls: tls")
        return self

    def open(self, site: Site) -> Channel:
        return Email(self, site)


class Email(Channel):
    """Delivered at least once; a repeat has the same `Message-ID`, and later changes refer to the
    incident's thread."""

    def __init__(self, options: EmailOptions, site: Site) -> None:
        self._options, self._site = options, site

    def shape(self, incident: Incident, context: Context, change: int) -> Payload:
        return email.shape(incident, context, change)

    def digest(self, found: Digest, context: Context) -> Payload:
        return digest.email(found, context)

    def confirmation(self, found: Confirmation, context: Context) -> Payload:
        return confirmation.email(found, context)

    def send(self, batch: Sequence[Outgoing]) -> Sequence[Outcome]:
        return [self._send(one) for one in batch]

    def _send(self, one: Outgoing) -> Outcome:
        message = self._message(one)
        password = self._site.secrets(self._options.secret) if self._options.secret else None
        began = False
        try:
            with self._connection() as server:
                if self._options.tls == "starttls":
                    server.starttls(context=ssl.create_default_context())
                if self._options.user and password:
                    server.login(self._options.user, password)
                began = True
                refused = server.send_message(message)
        except smtplib.SMTPRecipientsRefused as error:
            code, text = next(iter(error.recipients.values()))
            return _answered(code, text)
        except smtplib.SMTPAuthenticationError as error:
            return _answered(error.smtp_code, _LOG_IN)
        except smtplib.SMTPResponseException as error:
            return _answered(error.smtp_code, error.smtp_error)
        except (ssl.SSLCertVerificationError, smtplib.SMTPNotSupportedError) as error:
            return Outcome.transient(f"{self._options.host}: {_without_safety(error)}")
        except (smtplib.SMTPException, OSError) as error:
            problem = f"{self._options.host}: {type(error).__name__}"
            return Outcome.unknown(problem) if began else Outcome.transient(problem)
        left_out = f", refused for {len(refused)} recipients" if refused else ""
        return Outcome.delivered(f"{message['Message-ID']}{left_out}")

    def _connection(self) -> smtplib.SMTP:
        host, port = self._options.host, self._options.port
        if self._options.tls == "tls":
            context = ssl.create_default_context()
            return smtplib.SMTP_SSL(host, port, timeout=_TIMEOUT, context=context)
        return smtplib.SMTP(host, port, timeout=_TIMEOUT)

    def _message(self, one: Outgoing) -> EmailMessage:
        domain = self._options.sender.rpartition("@")[2]
        message = EmailMessage()
        message["Subject"] = one.payload["subject"]
        message["From"] = self._options.sender
        message["To"] = ", ".join(self._options.to)
        message["Date"] = format_datetime(self._site.clock())
        message["Message-ID"] = f"<{one.message.key}@{domain}>"
        message["References"] = f"<{one.thread}@{domain}>"
        message["Auto-Submitted"] = "auto-generated"
        if one.repeated:
            message["X-Bartizan-Possibly-Repeated"] = "yes"
        message.set_content(one.payload["body"])
        message.add_alternative(one.payload["html"], subtype="html")
        if "picture" not in one.payload:
            return message
        from bartizan.dispatch.channels.picture import png  # noqa: PLC0415  (loads matplotlib)

        _, html = message.iter_parts()
        html.add_related(
            png(one.payload["picture"]), "image", "png", cid="<picture>", filename="picture.png"
        )
        return message


def _answered(code: int, text: bytes | str) -> Outcome:
    """4xx is for now, 5xx for good, a refused log-in too: many servers lock who tries again."""
    said = text.decode(errors="replace") if isinstance(text, bytes) else text
    found = f"SMTP {code}: {short(' '.join(said.split()), 200)}"
    return Outcome.transient(found) if code < 500 else Outcome.permanent(found)


def _without_safety(error: ssl.SSLCertVerificationError | smtplib.SMTPNotSupportedError) -> str:
    """What the server lacks that was asked for; nothing was sent."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({error.verify_message}); nothing was sent"
    return f"{str(error).rstrip('.')}; nothing was sent"
