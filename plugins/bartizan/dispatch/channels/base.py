"""What every channel is: a pure shape, and a way to send it that says what came of it."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import Field
from upath import UPath

from bartizan.described import Described
from bartizan.dispatch.context import Context
from bartizan.dispatch.digest import Digest
from bartizan.dispatch.payload import encoded
from bartizan.errors import UsageError
from bartizan.model.anomaly import Incident
from bartizan.model.confirmation import Confirmation
from bartizan.model.hub_word import HubWord
from bartizan.store.outbox import Message, Result

Payload = dict[str, Any]
Shape = Callable[[Incident, Context, int], Payload]
Clock = Callable[[], datetime]
Secrets = Callable[[str], str]  # the value of a secret by name; raises ConfigError without one
SecretName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
_DETAIL = 500  # characters of an answer that are kept


@dataclass(frozen=True)
class Outgoing:
    """A payload on its way. `repeated`: an earlier attempt may have arrived; `first_receipt`: that
    of the first message about the incident, empty while there is none; `about`: its id, empty when
    the message names it."""

    message: Message
    payload: Payload
    repeated: bool = False
    first_receipt: str = ""
    about: str = ""

    @property
    def thread(self) -> str:
        """Id of the incident, or digest, that this is about."""
        return self.about or self.message.incident_id


@dataclass(frozen=True)
class Outcome:
    """What came of an attempt: with the channel's receipt when delivered, else what is wrong."""

    result: Result
    detail: str
    retry_after: timedelta = timedelta(0)

    @classmethod
    def delivered(cls, receipt: str) -> Outcome:
        return cls(Result.DELIVERED, receipt[:_DETAIL])

    @classmethod
    def transient(cls, error: str, retry_after: timedelta = timedelta(0)) -> Outcome:
        return cls(Result.TRANSIENT, error[:_DETAIL], retry_after)

    @classmethod
    def permanent(cls, error: str) -> Outcome:
        return cls(Result.PERMANENT, error[:_DETAIL])

    @classmethod
    def unknown(cls, error: str) -> Outcome:
        return cls(Result.UNKNOWN, error[:_DETAIL])


class Channel(ABC):
    """Where incidents are told. `at_once` messages, of `most_bytes` together, go in one call."""

    at_once = 1
    most_bytes = sys.maxsize

    @abstractmethod
    def shape(self, incident: Incident, context: Context, change: int) -> Payload:
        """What is sent; no clock, no network, no secret. Raises BartizanError when the format of
        the channel cannot hold the incident."""

    def digest(self, found: Digest, context: Context) -> Payload:
        """As `shape`, of a digest; only some kinds of channel take one."""
        raise UsageError(type(self).__name__, "takes no digest", "use slack, email or webhook")

    def confirmation(self, found: Confirmation, context: Context) -> Payload:
        """As `shape`, of what somebody did; only some kinds of channel take one."""
        raise UsageError(type(self).__name__, "takes no confirmation", "use slack, email or sns")

    @abstractmethod
    def send(self, batch: Sequence[Outgoing]) -> Sequence[Outcome]:
        """Send the batch in one call; one outcome each, in order. Raises BartizanError when it
        cannot begin, as without its secret: that is tried again like what is not delivered."""

    def heard(self, context: Context) -> Sequence[HubWord]:
        """What people said there of incidents that are open; only Security Hub has ears.

        Raises BartizanError when it cannot be asked.
        """
        return ()

    def size(self, payload: Payload) -> int:
        """Bytes that a payload takes of `most_bytes`."""
        return len(encoded(payload))


@dataclass(frozen=True)
class Site:
    """What channels of this installation share: its secrets, outbox folder and clock."""

    secrets: Secrets
    outbox: UPath
    clock: Clock


class ChannelOptions(Described, ABC):
    """What a channel of one kind may be given in alerts.yaml."""

    @abstractmethod
    def open(self, site: Site) -> Channel:
        """The channel; connects nowhere yet."""
