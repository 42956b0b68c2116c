"""Reads sharing.yaml: to whom we tell what we list, and from whom we hear."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated

from pydantic import Field, field_validator

from bartizan.described import Described, read, wrong
from bartizan.errors import UsageError
from bartizan.model.indicator import Tlp
from bartizan.model.window import parse_duration
from bartizan.respond.config import ExternalId

_ARN = r"^arn:aws[a-z-]*:{}:[a-z0-9-]+:[0-9]{{12}}:{}$"
Bus = Annotated[str, Field(pattern=_ARN.format("events", "event-bus/[A-Za-z0-9._/-]{1,256}"))]
Queue = Annotated[str, Field(pattern=_ARN.format("sqs", "[A-Za-z0-9_-]{1,80}"))]
RoleArn = Annotated[str, Field(pattern=r"^arn:aws[a-z-]*:iam::[0-9]{12}:role/[!-~]+$")]
Account = Annotated[str, Field(pattern=r"^[0-9]{12}$")]


class _Role(Described):
    """The role that is assumed, if any; `external_id` is what its trust asks for."""

    role_arn: RoleArn | None = None
    external_id: ExternalId | None = None


class Send(_Role):
    """`buses`: ARNs of the receivers' event buses."""

    buses: Annotated[list[Bus], Field(min_length=1, max_length=100)]


class Receive(_Role):
    """`queue`: ARN of ours, which the rule on our bus fills. `accounts` may send. An event older
    than `max_age` is a replay; what it says holds for `max_ttl` at most."""

    queue: Queue
    accounts: Annotated[list[Account], Field(min_length=1)]
    max_age: str = "P1D"
    max_ttl: str = "P14D"

    @field_validator("max_age", "max_ttl")
    @classmethod
    def _duration(cls, value: str) -> str:
        try:
            parse_duration(value)
        except (UsageError, OverflowError) as error:
            raise wrong(f"{value!r} is not a duration", "write P1D") from error
        return value

    def bounds(self) -> Bounds:
        return Bounds(
            frozenset(self.accounts), parse_duration(self.max_age), parse_duration(self.max_ttl)
        )


@dataclass(frozen=True)
class Bounds:
    """Whose events are taken in, how old one may be, and how long at most it holds."""

    accounts: frozenset[str]
    max_age: timedelta
    max_ttl: timedelta


class SharingConfig(Described):
    """The content of sharing.yaml. `organisation` is who we are in feeds."""

    organisation: Annotated[str, Field(min_length=1, max_length=128)] = "Bartizan"
    tlp: str = Tlp.AMBER.value
    send: Send | None = None
    receive: Receive | None = None

    @field_validator("tlp")
    @classmethod
    def _known(cls, value: str) -> str:
        if value not in list(Tlp):
            raise wrong(f"{value!r} is unknown", f"write one of {', '.join(Tlp)}")
        return value

    @property
    def mark(self) -> Tlp:
        return Tlp(self.tlp)


def read_sharing(path: Path) -> SharingConfig:
    """The content of sharing.yaml. Raises ConfigError that names file, key, value and remedy."""
    return read(path, SharingConfig)
