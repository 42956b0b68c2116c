"""Slack: an incoming webhook, or `chat.postMessage` with a channel, later changes in the thread."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field

from bartizan.dispatch.channels.base import Channel, Outcome, Outgoing, Payload, Site
from bartizan.dispatch.channels.http import Answer, outcome_of, post
from bartizan.dispatch.channels.web import Url, WebOptions, web_address
from bartizan.dispatch.context import Context
from bartizan.dispatch.digest import Digest
from bartizan.dispatch.payload import encoded
from bartizan.dispatch.shapes import confirmation, digest, slack
from bartizan.errors import ConfigError
from bartizan.model.anomaly import Incident
from bartizan.model.confirmation import Confirmation
from bartizan.model.text import short

_AGAIN = ("ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable")


class SlackOptions(WebOptions):
    """`secret`: the URL of an incoming webhook; or, with a `channel` id, a bot token that may
    `chat:write` there."""

    kind: Literal["slack"]
    channel: Annotated[str, Field(pattern=r"^[A-Z0-9]{2,32}$")] | None = None
    api: Url = "https://slack.com/api/chat.postMessage"

    def open(self, site: Site) -> Channel:
        return Slack(self, site)


class Slack(Channel):
    """Delivered at least once. With a channel, later changes reply to the incident's first."""

    def __init__(self, options: SlackOptions, site: Site) -> None:
        self._options, self._site = options, site

    def shape(self, incident: Incident, context: Context, change: int) -> Payload:
        return slack.shape(incident, context, change)

    def digest(self, found: Digest, context: Context) -> Payload:
        return digest.slack(found, context)

    def confirmation(self, found: Confirmation, context: Context) -> Payload:
        return confirmation.slack(found, context)

    def send(self, batch: Sequence[Outgoing]) -> Sequence[Outcome]:
        secret = self._site.secrets(self._options.secret)
        if self._options.channel is None:
            return [self._by_webhook(one, secret) for one in batch]
        return [self._by_api(one, secret, self._options.channel) for one in batch]

    def _by_webhook(self, one: Outgoing, url: str) -> Outcome:
        try:
            web_address(url)
        except ValueError as error:
            name = f"secret {self._options.secret}"
            raise ConfigError(name, "is no URL", "put the webhook's URL into it") from error
        headers = {"Content-Type": "application/json; charset=utf-8"}
        answer = post(url, encoded(one.payload), headers, self._options.allow)
        if isinstance(answer, Outcome):
            return answer
        path = urlsplit(url).path  # the secret part of it
        return outcome_of(answer, f"HTTP {answer.status}", self._site.clock(), secret=path)

    def _by_api(self, one: Outgoing, token: str, channel: str) -> Outcome:
        message = one.payload | {"channel": channel, "unfurl_links": False}
        if one.first_receipt:
            message |= {"thread_ts": one.first_receipt.rpartition(":")[2], "reply_broadcast": True}
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Authorization": f"Bearer {token}",
        }
        answer = post(self._options.api, encoded(message), headers, self._options.allow)
        if isinstance(answer, Outcome):
            return answer
        if answer.status != 200:
            return outcome_of(answer, "", self._site.clock(), secret=token)
        return _said(answer)


def _said(answer: Answer) -> Outcome:
    """The API reports errors with status 200."""
    try:
        said: Any = json.loads(answer.body)
    except ValueError:
        # A long answer is cut, but says first whether all is well.
        said = {"ok": answer.body.startswith(b'{"ok":true')}
    if not isinstance(said, dict):
        return Outcome.unknown("Slack answered no object")
    if said.get("ok") is True:
        return Outcome.delivered(f"{said.get('channel', '')}:{said.get('ts', '')}")
    error = short(str(said.get("error", "no error named")), 100)
    return Outcome.transient(error) if error in _AGAIN else Outcome.permanent(error)
