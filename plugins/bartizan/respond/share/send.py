"""Tells an event bus of another account whom we list, and whom no longer, by PutEvents.

A call that AWS answers with 200 may have failed for some of its entries: each is looked at, and
sent again where that may help. A receiver tells repeats by the event id.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bartizan.engines.aws import calling
from bartizan.model.indicator import Indicator
from bartizan.model.intel import Candidate, Entry, Network, by_place
from bartizan.model.window import aware
from bartizan.respond.share.event import SOURCE, Statement

AT_ONCE = 10  # entries of a call
MOST_BYTES = 250_000  # of all entries of a call: AWS takes 1 MB, and took 256 KB until 2026
ATTEMPTS = 4
_AGAIN = ("Throttl", "TooManyRequests", "Internal", "ServiceUnavailable", "LimitExceeded")


@dataclass(frozen=True)
class Outcome:
    """What became of an event: `receipt` is AWS's id for it, empty where it failed with `why`."""

    detail: Statement
    receipt: str
    why: str = ""


def indicators(
    listed: Mapping[Network, Entry], evidence: Mapping[Network, Candidate]
) -> list[Indicator]:
    """What can be told of the entries listed: those that our own logs gave reason for, so that
    nobody hears from us what others told us."""
    return [
        Indicator.of(network, entry.added_at, entry.expires_at, known.evidence, known.score)
        for network, entry in sorted(listed.items(), key=lambda item: by_place(item[0]))
        if (known := evidence.get(network)) is not None
    ]


def due(
    found: Sequence[Indicator], sent: Mapping[Network, datetime], at: datetime
) -> list[Indicator]:
    """Those that a bus was not told yet, or with another end, and that are not over."""
    return [
        one
        for one in found
        if one.expires_at > aware(at) and sent.get(one.network) != one.expires_at
    ]


def taken_back(
    sent: Mapping[Network, datetime], listed: Collection[Network], at: datetime
) -> list[Network]:
    """Networks that a bus was told of, that would hold on, and that no set of ours holds now."""
    gone = [one for one, end in sent.items() if end > aware(at) and one not in listed]
    return sorted(gone, key=by_place)


def put(
    client: Any,
    bus: str,
    details: Sequence[Statement],
    at: datetime,
    pause: Callable[[float], None] = time.sleep,
) -> Iterator[Outcome]:
    """Send events to a bus; yields the outcome of each as it is known.

    Raises TransientError and UsageError when a whole call fails.
    """
    for batch in _batches(details):
        left = list(batch)
        for attempt in range(ATTEMPTS):
            with calling(bus):
                answer = client.put_events(Entries=[_entry(one, bus, at) for one in left])
            last = attempt == ATTEMPTS - 1
            again = []
            for one, told in zip(left, answer["Entries"], strict=True):
                code = told.get("ErrorCode", "")
                if code.startswith(_AGAIN) and not last:
                    again.append(one)
                elif code:
                    why = f"{code}: {told.get('ErrorMessage', '')}"
                    yield Outcome(one, "", why)
                else:
                    yield Outcome(one, told["EventId"])
            if not again:
                break
            left = again
            pause(2.0**attempt)


def _batches(details: Sequence[Statement]) -> Iterator[list[Statement]]:
    batch: list[Statement] = []
    size = 0
    for detail in details:
        own = _size(detail)
        if batch and (len(batch) == AT_ONCE or size + own > MOST_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(detail)
        size += own
    if batch:
        yield batch


def _size(detail: Statement) -> int:
    """Bytes of an entry as the service counts: 14 for the time, and the texts."""
    texts = (SOURCE, detail.detail_type, detail.model_dump_json())
    return 14 + sum(len(text.encode()) for text in texts)


def _entry(detail: Statement, bus: str, at: datetime) -> dict[str, Any]:
    return {
        "Source": SOURCE,
        "DetailType": detail.detail_type,
        "Time": aware(at),
        "EventBusName": bus,
        "Detail": detail.model_dump_json(),
    }
