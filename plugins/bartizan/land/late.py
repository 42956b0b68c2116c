"""Which hours late records open again, and which are too old for that.

A request is logged minutes after it was made, rarely a day. How late it came is measured against
the delivery time in its object's path, never against the present: landing an old window again, or
for the first time, opens the same hours.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from bartizan.lake.staged import hour_of
from bartizan.land.account import per_object_in
from bartizan.model.delivery import delivered
from bartizan.model.landing import Batch
from bartizan.model.window import HOUR

LATEST_REOPEN = timedelta(days=35)


@dataclass(frozen=True)
class Hours:
    """The hours of a batch: `opened` are announced to those downstream; `closed` are not, with the
    number of requests that came for them.
    """

    opened: frozenset[datetime]
    closed: Mapping[datetime, int]


def hours(batch: Batch, requests: Sequence[Path], latest: timedelta | None) -> Hours:
    """Divide the hours of the request files of a batch.

    An hour is closed when every one of its requests was delivered more than `latest` after it
    ended. With None, and for objects whose path names no time, no hour is.
    """
    if latest is None:
        return Hours(frozenset(map(hour_of, requests)), {})
    first_open = _first_open(batch, latest)
    closed: Counter[datetime] = Counter()
    for file in requests:
        hour = hour_of(file)
        if any(hour < first for first in first_open.values()):
            objects = per_object_in(file)
            if all(uri in first_open and hour < first_open[uri] for uri in objects):
                closed[hour] += objects.total()
    return Hours(frozenset(map(hour_of, requests)) - closed.keys(), closed)


def _first_open(batch: Batch, latest: timedelta) -> dict[str, datetime]:
    """By object whose path names a time: the hours before this instant are closed to it."""
    windows = {item.uri: delivered(item.uri) for item in batch.objects}
    return {uri: one.start - latest - HOUR for uri, one in windows.items() if one is not None}
