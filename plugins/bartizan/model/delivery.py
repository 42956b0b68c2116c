"""Delivery times in the paths of log objects.

Direct S3 delivery writes `.../YYYY/MM/dd/HH/mm/`, Firehose `YYYY/MM/dd/HH/` or hive keys. The time
is that of delivery; the requests inside may be minutes earlier.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from bartizan.model.window import DAY, HOUR, Window

_FIVE_MINUTES = timedelta(minutes=5)  # direct S3 delivery writes one folder per five minutes
_TIME_FOLDERS = re.compile(
    r"/(?:\w+=)?(?P<Y>\d{4})"
    r"/(?:\w+=)?(?P<m>\d\d)(?:/(?:\w+=)?(?P<d>\d\d)"
    r"(?:/(?:\w+=)?(?P<H>\d\d)(?:/(?:\w+=)?(?P<M>\d\d))?)?)?$"
)


def delivered(uri: str) -> Window | None:
    """When an object was delivered, as the folder it lies in names it, or None."""
    return delivery_window(uri.rpartition("/")[0])


def delivery_window(folder: str) -> Window | None:
    """The time that the trailing components of a folder's path name, or None.

    A year alone is no time: a web ACL or a prefix may be called 2024.
    """
    match = _TIME_FOLDERS.search(folder)
    if match is None:
        return None
    parts = [int(text) for text in match.groups() if text]
    year, month, day, hour, minute = (*parts, *(1, 1, 1, 0, 0)[len(parts) :])
    try:
        start = datetime(year, month, day, hour, minute, tzinfo=UTC)
    except ValueError:  # digits that are not a time
        return None
    return Window(start, _end(start, len(parts)))


def _end(start: datetime, parts: int) -> datetime:
    if parts == 2:
        return (start + timedelta(days=31)).replace(day=1)
    return start + {3: DAY, 4: HOUR, 5: _FIVE_MINUTES}[parts]
