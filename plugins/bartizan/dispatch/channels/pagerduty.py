"""PagerDuty: trigger, update and resolve by the Events API v2."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from bartizan.dispatch.channels.base import Channel, Outcome, Outgoing, Payload, Site
from bartizan.dispatch.channels.http import outcome_of, post
from bartizan.dispatch.channels.web import Url, WebOptions
from bartizan.dispatch.context import Context
from bartizan.dispatch.payload import encoded
from bartizan.dispatch.shapes import pagerduty
from bartizan.model.anomaly import Incident


class PagerDutyOptions(WebOptions):
    """`secret`: the routing key. `url`: for accounts of the service region EU, or a proxy."""

    kind: Literal["pagerduty"]
    url: Url = "https://events.pagerduty.com/v2/enqueue"

    def open(self, site: Site) -> Channel:
        return PagerDuty(self, site)


class PagerDuty(Channel):
    """Exactly once: the `dedup_key` makes a repeat an update of the same alert."""

    def __init__(self, options: PagerDutyOptions, site: Site) -> None:
        self._options, self._site = options, site

    def shape(self, incident: Incident, context: Context, change: int) -> Payload:
        return pagerduty.shape(incident, context, change)

    def send(self, batch: Sequence[Outgoing]) -> Sequence[Outcome]:
        key = self._site.secrets(self._options.secret)
        return [self._post(one, key) for one in batch]

    def _post(self, one: Outgoing, key: str) -> Outcome:
        body = encoded(one.payload | {"routing_key": key})
        headers = {"Content-Type": "application/json", "User-Agent": "bartizan"}
        answer = post(self._options.url, body, headers, self._options.allow)
        if isinstance(answer, Outcome):
            return answer
        receipt = f"HTTP {answer.status} dedup_key {one.payload['dedup_key']}"
        return outcome_of(answer, receipt, self._site.clock(), secret=key)
