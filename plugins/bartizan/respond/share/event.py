"""The event that tells other accounts whom we list, version 1: its shape, its id, its JSON Schema.

`event.schema.json` beside this file is the published schema; it is made from the models here. An
event is told by its id, a digest of everything in it: the same again is the same event.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from math import ceil
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from bartizan.errors import UsageError
from bartizan.model.ids import stable_uuid
from bartizan.model.indicator import FAMILY_NAMES, Indicator, Tlp
from bartizan.model.window import format_time, parse_time
from bartizan.respond.never_block import read_network

SOURCE = "custom.waflogs"
DETAIL_TYPE = "Bartizan Blocked Addresses v1"
MOST_ENTRIES = 200  # of an event: about 100 KB at most
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


class Detail(_Closed):
    """The detail of an event: who says it, when, to whom it may be told, and of which networks."""

    schemaVersion: Literal[1]
    eventId: Annotated[str, Field(pattern=r"^[0-9a-f-]{36}$")]
    account: Account
    at: Time
    tlp: Tlp
    entries: Annotated[list[Told], Field(min_length=1, max_length=MOST_ENTRIES)]


class Envelope(BaseModel):
    """An event as EventBridge delivers it; it may add keys of its own."""

    model_config = ConfigDict(strict=True, frozen=True)

    source: Literal["custom.waflogs"]
    detail_type: Annotated[Literal["Bartizan Blocked Addresses v1"], Field(alias="detail-type")]
    account: Account
    detail: Detail


def details(
    indicators: Sequence[Indicator], account: str, at: datetime, tlp: Tlp
) -> Iterator[Detail]:
    """The events that tell of indicators, each of at most `MOST_ENTRIES`."""
    for first in range(0, len(indicators), MOST_ENTRIES):
        unnamed = Detail(
            schemaVersion=1,
            eventId="0" * 36,
            account=account,
            at=format_time(at),
            tlp=tlp,
            entries=[_told(one) for one in indicators[first : first + MOST_ENTRIES]],
        )
        yield unnamed.model_copy(update={"eventId": event_id(unnamed)})


def event_count(indicators: Sequence[Indicator]) -> int:
    """How many events tell of indicators."""
    return ceil(len(indicators) / MOST_ENTRIES)


def event_id(detail: Detail) -> str:
    """The id that an event must have: a UUID of everything else in it."""
    content = detail.model_dump(mode="json", exclude={"eventId"})
    return stable_uuid("blocked addresses", json.dumps(content, sort_keys=True))


def json_schema() -> dict[str, Any]:
    """The JSON Schema of a detail (draft 2020-12)."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Detail.model_json_schema(),
        "title": DETAIL_TYPE,
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
