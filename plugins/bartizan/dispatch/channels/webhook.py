"""A signed webhook.

Headers: `Idempotency-Key` (the same for every attempt), `Bartizan-Timestamp` (Unix seconds of the
attempt), `Bartizan-Signature: v1=<hex HMAC-SHA256 of "<timestamp>.<body>">`. While a secret is
changed over, the environment may hold several, separated by blanks: each gives a signature.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from typing import Literal

from bartizan.dispatch.channels.base import Channel, Outcome, Outgoing, Payload, Shape, Site
from bartizan.dispatch.channels.http import outcome_of, post
from bartizan.dispatch.channels.web import Url, WebOptions
from bartizan.dispatch.context import Context
from bartizan.dispatch.digest import Digest
from bartizan.dispatch.payload import encoded
from bartizan.dispatch.shapes import digest, lookout_event, ocsf, webhook
from bartizan.model.anomaly import Incident

FORMATS: dict[str, Shape] = {
    "bartizan": webhook.shape,
    "lookout": lookout_event.shape,
    "ocsf": ocsf.shape,
}


class WebhookOptions(WebOptions):
    """`secret`: what signs."""

    kind: Literal["webhook"]
    url: Url
    format: Literal["bartizan", "lookout", "ocsf"] = "bartizan"

    def open(self, site: Site) -> Channel:
        return Webhook(self, site)


class Webhook(Channel):
    """Exactly once for receivers that heed the idempotency key, else at least once."""

    def __init__(self, options: WebhookOptions, site: Site) -> None:
        self._options, self._site = options, site

    def shape(self, incident: Incident, context: Context, change: int) -> Payload:
        return FORMATS[self._options.format](incident, context, change)

    def digest(self, found: Digest, context: Context) -> Payload:
        return digest.webhook(found, context)

    def send(self, batch: Sequence[Outgoing]) -> Sequence[Outcome]:
        secrets = self._site.secrets(self._options.secret).split()
        return [self._post(one, secrets) for one in batch]

    def _post(self, one: Outgoing, secrets: Sequence[str]) -> Outcome:
        body, now = encoded(one.payload), self._site.clock()
        timestamp = int(now.timestamp())
        signed = (signature(secret, timestamp, body) for secret in secrets)
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "bartizan",
            "Idempotency-Key": one.message.key,
            "Bartizan-Timestamp": str(timestamp),
            "Bartizan-Signature": ", ".join(f"v1={text}" for text in signed),
        }
        answer = post(self._options.url, body, headers, self._options.allow)
        if isinstance(answer, Outcome):
            return answer
        receipt = f"HTTP {answer.status} {answer.headers.get('X-Request-Id', '')}".strip()
        return outcome_of(answer, receipt, now)


def signature(secret: str, timestamp: int, body: bytes) -> str:
    """Hex HMAC-SHA256, as the receiver computes it too."""
    return hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()
