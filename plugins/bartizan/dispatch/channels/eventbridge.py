"""EventBridge: one entry per change by PutEvents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from botocore.exceptions import BotoCoreError, ClientError
from pydantic import Field

from bartizan.dispatch.channels.aws import AwsClient, AwsOptions, outcome_of, refused
from bartizan.dispatch.channels.base import Channel, Outcome, Outgoing, Payload, Site
from bartizan.dispatch.context import Context
from bartizan.dispatch.shapes import eventbridge
from bartizan.model.anomaly import Incident


class EventBridgeOptions(AwsOptions):
    """`bus`: name or ARN of the event bus."""

    kind: Literal["eventbridge"]
    bus: Annotated[str, Field(pattern=r"^[A-Za-z0-9_./:-]+$", max_length=1600)] = "default"

    def open(self, site: Site) -> Channel:
        return EventBridge(self)


class EventBridge(Channel):
    """Delivered at least once: consumers tell repeats by `incidentId` and `changeNumber`."""

    at_once = 10
    most_bytes = 250_000  # of 256 KB a call

    def __init__(self, options: EventBridgeOptions) -> None:
        self._bus, self._client = options.bus, AwsClient("events", options)

    def shape(self, incident: Incident, context: Context, change: int) -> Payload:
        return eventbridge.shape(incident, context, change)

    def size(self, payload: Payload) -> int:
        """As the service counts an entry: 14 bytes of time and the texts."""
        texts = (payload["Source"], payload["DetailType"], payload["Detail"], *payload["Resources"])
        return 14 + sum(len(text.encode()) for text in texts)

    def send(self, batch: Sequence[Outgoing]) -> Sequence[Outcome]:
        entries = [one.payload | {"EventBusName": self._bus} for one in batch]
        try:
            answer = self._client().put_events(Entries=entries)
        except (BotoCoreError, ClientError) as error:
            return [outcome_of(error)] * len(batch)
        return [_outcome(entry) for entry in answer["Entries"]]


def _outcome(entry: dict[str, Any]) -> Outcome:
    if "ErrorCode" in entry:
        return refused(entry["ErrorCode"], entry.get("ErrorMessage", ""))
    return Outcome.delivered(entry["EventId"])
