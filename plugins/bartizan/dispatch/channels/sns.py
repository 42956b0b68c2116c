"""SNS: one message per change to a topic, standard or FIFO."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from botocore.exceptions import BotoCoreError, ClientError
from pydantic import Field

from bartizan.dispatch.channels.aws import AwsClient, AwsOptions, outcome_of
from bartizan.dispatch.channels.base import Channel, Outcome, Outgoing, Payload, Site
from bartizan.dispatch.context import Context
from bartizan.dispatch.shapes import confirmation, sns
from bartizan.model.anomaly import Incident
from bartizan.model.confirmation import Confirmation

_TOPIC = r"^arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_.-]+$"


class SnsOptions(AwsOptions):
    """`topic`: its ARN; one that ends in .fifo is a FIFO topic."""

    kind: Literal["sns"]
    topic: Annotated[str, Field(pattern=_TOPIC)]

    def open(self, site: Site) -> Channel:
        return Sns(self)


class Sns(Channel):
    """FIFO topics drop a repeat within five minutes; others deliver at least once, and a repeat
    carries the attribute `possiblyRepeated`."""

    def __init__(self, options: SnsOptions) -> None:
        region = options.region or options.topic.split(":")[3]
        self._topic = options.topic
        self._client = AwsClient("sns", options.model_copy(update={"region": region}))

    def shape(self, incident: Incident, context: Context, change: int) -> Payload:
        return sns.shape(incident, context, change)

    def confirmation(self, found: Confirmation, context: Context) -> Payload:
        return confirmation.sns(found, context)

    def send(self, batch: Sequence[Outgoing]) -> Sequence[Outcome]:
        return [self._publish(one) for one in batch]

    def _publish(self, one: Outgoing) -> Outcome:
        request = one.payload | {"TopicArn": self._topic}
        if self._topic.endswith(".fifo"):
            group = {"MessageGroupId": one.thread}
            request |= {"MessageDeduplicationId": one.message.key, **group}
        elif one.repeated:
            mark = {"possiblyRepeated": {"DataType": "String", "StringValue": "true"}}
            request["MessageAttributes"] = request["MessageAttributes"] | mark
        try:
            answer = self._client().publish(**request)
        except (BotoCoreError, ClientError) as error:
            return outcome_of(error)
        return Outcome.delivered(answer["MessageId"])
