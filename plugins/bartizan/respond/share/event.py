"""The events that tell other accounts whom we list, and whom no longer, version 1.

The published schemas beside this file are made from the models here. An event is told by its id, a
digest of everything in it: the same again is the same event.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from math import ceil
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from bartizan.errors import UsageError
from bartizan.model.ids import stable_uuid
from bartizan.model.indicator import FAMILY_NAMES, Indicator, Tlp
from bartizan.model.intel import Network
from bartizan.model.window import format_time, parse_time
from bartizan.respond.never_block import read_network

SOURCE = "custom.waflogs"
BLOCKED, WITHDRAWN = "Bartizan Blocked Addresses v1", "Bartizan Withdrawn Addresses v1"
MOST_ENTRIES = 200  # of an event: about 100 KB at most
MOST_WITHDRAWN = 2000
MOST_BYTES = 262_144  # of an event that is taken in: EventBridge's own limit for years


def _time(text: str) -> str:
    try:
        parse_time(text)
    except UsageError as error:
        raise ValueError("is no time") from error
    return text


def _network(text: str) -> str:
    if str(read_network(text)) != text:
        raise ValueError("is not written as a network is: 192.0.2.7/32, 2001:db8::/64")
    return text


def _family(text: str) -> str:
    if text not in FAMILY_NAMES:
        raise ValueError("is no family of rules")
    return text


Account = Annotated[str, Field(pattern=r"^[0-9]{12}$")]
Time = Annotated[
    str,
    Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$"),
    AfterValidator(_time),
]
NetworkText = Annotated[
    str, Field(pattern=r"^[0-9a-f:.]+/[0-9]{1,3}$", max_length=43), AfterValidator(_network)
]
Count = Annotated[int, Field(ge=0, le=10**12)]
Family = Annotated[
    str, Field(json_schema_extra={"enum": list(FAMILY_NAMES)}), AfterValidator(_family)
]


class _Closed(BaseModel):
    """Nothing but the keys named, and nothing coerced into them."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, field_title_generator=lambda name, _: name
    )


class Told(_Closed):
    """One network: why it was listed, from when until when."""

    network: NetworkText
    addedAt: Time
    expiresAt: Time
    firstSeen: Time
    lastSeen: Time
    requests: Count
    blocked: Count
    paths: Count
    hours: Count
    families: Annotated[list[Family], Field(max_length=len(FAMILY_NAMES))]

    @model_validator(mode="after")
    def _adds_up(self) -> Told:
        if self.firstSeen > self.lastSeen or self.addedAt >= self.expiresAt:
            raise ValueError("ends before it begins")
        if self.blocked > self.requests:
            raise ValueError("more requests blocked than made")
        return self


class Statement(_Closed):
    """What all details say: who says it, when, and to whom it may be told."""

    detail_type: ClassVar[str]
    subject: ClassVar[str]

    schemaVersion: Literal[1]
    eventId: Annotated[str, Field(pattern=r"^[0-9a-f-]{36}$")]
    account: Account
    at: Time
    tlp: Tlp


class Detail(Statement):
    """The detail of an event: who says it, when, to whom it may be told, and of which networks."""

    detail_type = BLOCKED
    subject = "blocked addresses"

    entries: Annotated[list[Told], Field(min_length=1, max_length=MOST_ENTRIES)]


class Withdrawal(Statement):
    """The detail of an event that takes networks back: from then on the sender lists them no more,
    whatever end it gave before."""

    detail_type = WITHDRAWN
    subject = "withdrawn addresses"

    networks: Annotated[list[NetworkText], Field(min_length=1, max_length=MOST_WITHDRAWN)]


class _Delivered(BaseModel):
    """An event as EventBridge delivers it; it may add keys of its own."""

    model_config = ConfigDict(strict=True, frozen=True)

    source: Literal["custom.waflogs"]
    account: Account


class Envelope(_Delivered):
    detail_type: Annotated[Literal["Bartizan Blocked Addresses v1"], Field(alias="detail-type")]
    detail: Detail


class WithdrawalEnvelope(_Delivered):
    detail_type: Annotated[Literal["Bartizan Withdrawn Addresses v1"], Field(alias="detail-type")]
    detail: Withdrawal


class _Kind(BaseModel):
    detail_type: Annotated[object, Field(alias="detail-type")] = None


def read_envelope(body: bytes) -> Envelope | WithdrawalEnvelope:
    """An event of either type. Raises ValidationError for anything else."""
    if _Kind.model_validate_json(body).detail_type == WITHDRAWN:
        return WithdrawalEnvelope.model_validate_json(body)
    return Envelope.model_validate_json(body)


def details(
    indicators: Sequence[Indicator], account: str, at: datetime, tlp: Tlp
) -> Iterator[Detail]:
    """The events that tell of indicators, each of at most `MOST_ENTRIES`."""
    for first in range(0, len(indicators), MOST_ENTRIES):
        entries = [_told(one) for one in indicators[first : first + MOST_ENTRIES]]
        unnamed = Detail(**_common(account, at, tlp), entries=entries)
        yield unnamed.model_copy(update={"eventId": event_id(unnamed)})


def withdrawals(
    networks: Sequence[Network], account: str, at: datetime, tlp: Tlp
) -> Iterator[Withdrawal]:
    """The events that take networks back, each of at most `MOST_WITHDRAWN`."""
    for first in range(0, len(networks), MOST_WITHDRAWN):
        texts = list(map(str, networks[first : first + MOST_WITHDRAWN]))
        unnamed = Withdrawal(**_common(account, at, tlp), networks=texts)
        yield unnamed.model_copy(update={"eventId": event_id(unnamed)})


def event_count(told: int, withdrawn: int) -> int:
    """How many events tell of so many networks, and take back so many."""
    return ceil(told / MOST_ENTRIES) + ceil(withdrawn / MOST_WITHDRAWN)


def event_id(detail: Statement) -> str:
    """The id that an event must have: a UUID of everything else in it."""
    content = detail.model_dump(mode="json", exclude={"eventId"})
    return stable_uuid(detail.subject, json.dumps(content, sort_keys=True))


def json_schema(detail: type[Statement]) -> dict[str, Any]:
    """The JSON Schema of a detail (draft 2020-12)."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **detail.model_json_schema(),
        "title": detail.detail_type,
    }


def _common(account: str, at: datetime, tlp: Tlp) -> dict[str, Any]:
    return {
        "schemaVersion": 1,
        "eventId": "0" * 36,
        "account": account,
        "at": format_time(at),
        "tlp": tlp,
    }


def _told(one: Indicator) -> Told:
    return Told(
        network=str(one.network),
        addedAt=format_time(one.added_at),
        expiresAt=format_time(one.expires_at),
        firstSeen=format_time(one.first_seen),
        lastSeen=format_time(one.last_seen),
        requests=one.requests,
        blocked=one.blocked,
        paths=one.paths,
        hours=one.hours,
        families=list(one.families),
    )
