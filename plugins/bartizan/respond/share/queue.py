"""The queue that the rule on our event bus fills."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bartizan.engines.aws import calling

MOST = 1000  # messages of one run
_AT_ONCE = 10  # messages of a call, the most that SQS gives


@dataclass(frozen=True)
class Message:
    body: bytes
    handle: str  # what SQS knows this delivery by


class Queue:
    """An SQS queue by its ARN. Methods raise TransientError and UsageError naming it."""

    def __init__(self, client: Any, arn: str) -> None:
        account, name = arn.split(":")[4:6]
        self._arn, self._client = arn, client
        with calling(arn):
            answer = client.get_queue_url(QueueName=name, QueueOwnerAWSAccountId=account)
        self._url = answer["QueueUrl"]

    def messages(self, most: int = MOST) -> Iterator[Message]:
        """Up to `most` messages, until the queue shows none. One that is not taken out comes back
        later; SQS moves it aside after a few times."""
        seen = 0
        while seen < most:
            with calling(self._arn):
                answer = self._client.receive_message(
                    QueueUrl=self._url,
                    MaxNumberOfMessages=min(_AT_ONCE, most - seen),
                    WaitTimeSeconds=1,
                )
            found = answer.get("Messages", [])
            if not found:
                return
            seen += len(found)
            for one in found:
                yield Message(one["Body"].encode(), one["ReceiptHandle"])

    def take_out(self, message: Message) -> None:
        with calling(self._arn):
            self._client.delete_message(QueueUrl=self._url, ReceiptHandle=message.handle)

    def put_back(self, message: Message) -> None:
        """Let others see it again at once."""
        with calling(self._arn):
            self._client.change_message_visibility(
                QueueUrl=self._url, ReceiptHandle=message.handle, VisibilityTimeout=0
            )
