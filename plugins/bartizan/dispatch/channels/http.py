"""POST over HTTP to an address that was checked, with outcomes as the outbox wants them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import SplitResult, urlsplit

import urllib3
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NewConnectionError,
    ProtocolError,
    ReadTimeoutError,
)

from bartizan.dispatch.channels.addresses import AllowList, Checked, checked
from bartizan.dispatch.channels.base import Outcome
from bartizan.errors import BartizanError, TransientError
from bartizan.model.text import short

TIMEOUT = urllib3.Timeout(connect=5, read=15)
_ANSWER = 4096  # bytes of it that are read
_BUSY = (408, 425, 429)


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


def post(
    url: str, body: bytes, headers: Mapping[str, str], allow: Sequence[str]
) -> Answer | Outcome:
    """The answer of a server, or the outcome when there is none.

    The connection goes to an address that was checked just before; the name serves for TLS and the
    Host header only, so that a second look-up cannot lead elsewhere. Redirects are not followed and
    proxies of the environment not used. No error repeats the URL, which may hold a secret.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    try:
        target = checked(host, _port(parts), AllowList.of(allow))
        if parts.scheme != "https" and not target.allowed:
            raise BartizanError(f"host {host}", "is not spoken to without TLS", "write https://")
        return _ask(parts, target, body, headers)
    except (NewConnectionError, ConnectTimeoutError) as error:
        return Outcome.transient(f"host {host}: no connection ({type(error).__name__})")
    except (ReadTimeoutError, ProtocolError) as error:
        return Outcome.unknown(f"host {host}: no answer ({type(error).__name__})")
    except (HTTPError, TransientError) as error:  # TLS, the name, what cannot be sent at all
        problem = str(error) if isinstance(error, TransientError) else type(error).__name__
        return Outcome.transient(f"host {host}: {problem}")
    except BartizanError as error:
        return Outcome.permanent(str(error))


def _ask(parts: SplitResult, target: Checked, body: bytes, headers: Mapping[str, str]) -> Answer:
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    with _pool(parts, target) as pool:
        response = pool.urlopen(
            "POST",
            path,
            body=body,
            headers={"Host": parts.netloc, **headers},
            retries=False,
            redirect=False,
            assert_same_host=False,
            preload_content=False,
            decode_content=False,
        )
        with response:
            return Answer(response.status, response.headers, response.read1(_ANSWER))


def outcome_of(answer: Answer, receipt: str, now: datetime, secret: str = "") -> Outcome:
    """By status: 2xx delivered; 408, 425, 429 and 5xx transient; any other permanent."""
    if 200 <= answer.status < 300:
        return Outcome.delivered(receipt)
    said = re.sub(r"\s+", " ", answer.body.decode(errors="replace")).strip()
    if secret:
        said = said.replace(secret, "***")
    text = f"HTTP {answer.status}: {short(said, 200)}"
    if answer.status in _BUSY or answer.status >= 500:
        return Outcome.transient(text, _retry_after(answer, now))
    return Outcome.permanent(text)


def _retry_after(answer: Answer, now: datetime) -> timedelta:
    """Seconds or a date; nothing where neither is given."""
    text = answer.headers.get("Retry-After", "")
    if text.isascii() and text.isdecimal():
        return timedelta(seconds=min(int(text[:9]), 10**8))
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return timedelta(0)
    aware = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max(aware - now, timedelta(0))


def _port(parts: SplitResult) -> int:
    return parts.port or (443 if parts.scheme == "https" else 80)


def _pool(parts: SplitResult, target: Checked) -> urllib3.HTTPConnectionPool:
    if parts.scheme == "https":
        return urllib3.HTTPSConnectionPool(
            target.address,
            _port(parts),
            timeout=TIMEOUT,
            server_hostname=parts.hostname,
            assert_hostname=parts.hostname,
        )
    return urllib3.HTTPConnectionPool(target.address, _port(parts), timeout=TIMEOUT)
