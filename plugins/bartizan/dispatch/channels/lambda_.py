"""Lambda: the alert event of Lookout for Metrics as the event of a function."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from botocore.exceptions import BotoCoreError, ClientError
from pydantic import Field

from bartizan.dispatch.channels.aws import AwsClient, AwsOptions, outcome_of
from bartizan.dispatch.channels.base import Channel, Outcome, Outgoing, Payload, Site
from bartizan.dispatch.context import Context
from bartizan.dispatch.payload import encoded
from bartizan.dispatch.shapes import lookout_event
from bartizan.model.anomaly import Incident


class LambdaOptions(AwsOptions):
    """`function`: name or ARN."""

    kind: Literal["lambda"]
    function: Annotated[str, Field(pattern=r"^[A-Za-z0-9_:/-]+(\$LATEST)?$", max_length=170)]

    def open(self, site: Site) -> Channel:
        return Lambda(self)


class Lambda(Channel):
    """Invoked asynchronously: delivered when Lambda has queued the event, at least once."""

    def __init__(self, options: LambdaOptions) -> None:
        self._function, self._client = options.function, AwsClient("lambda", options)

    def shape(self, incident: Incident, context: Context, change: int) -> Payload:
        return lookout_event.shape(incident, context, change)

    def send(self, batch: Sequence[Outgoing]) -> Sequence[Outcome]:
        return [self._invoke(one) for one in batch]

    def _invoke(self, one: Outgoing) -> Outcome:
        try:
            answer = self._client().invoke(
                FunctionName=self._function,
                InvocationType="Event",
                Payload=encoded(one.payload),
            )
        except (BotoCoreError, ClientError) as error:
            return outcome_of(error)
        return Outcome.delivered(answer["ResponseMetadata"].get("RequestId", "queued"))
