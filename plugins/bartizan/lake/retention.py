"""How long rows are kept: days by table, from text such as `waf.requests=90,agg=400`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta

from bartizan.errors import UsageError
from bartizan.lake.catalog import Lake
from bartizan.lake.expire import PARTITION

_EXAMPLE = "write table=days, such as waf.requests=90,agg=400"


def parse_retention(text: str, origin: str) -> dict[str, int]:
    """Days by table (`waf.requests`) or by all tables of a kind (`waf`, `agg`).

    Nothing is no limit. Raises UsageError naming `origin` and the part that is wrong.
    """
    days: dict[str, int] = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        name, _, number = (piece.strip() for piece in part.partition("="))
        if name.split(".")[0] not in ("waf", "agg") or name in days:
            raise UsageError(origin, f"{part!r} names no table, or one named before", _EXAMPLE)
        if not (number.isascii() and number.isdigit() and int(number) > 0):
            raise UsageError(origin, f"{part!r} has no number of days above 0", _EXAMPLE)
        days[name] = int(number)
    return days


def first_days(lake: Lake, days: Mapping[str, int], at: datetime) -> dict[str, date]:
    """The first day that each limited table keeps, seen at `at`: today and so many days before it.

    The table's own limit wins over that of its kind. Raises UsageError for a table that does not
    exist or is not kept by day.
    """
    names = lake.names()
    for name in days:
        if "." in name and name not in names:
            raise UsageError(f"retention of {name}", "no such table", f"known: {', '.join(names)}")
    found: dict[str, date] = {}
    for name in names:
        by_day = PARTITION in (field.name for field in lake.table(name).spec().fields)
        if name in days and not by_day:
            raise UsageError(f"retention of {name}", "is not kept by day", "leave it out")
        limit = days.get(name, days.get(name.split(".")[0]))
        if by_day and limit is not None:
            found[name] = at.date() - timedelta(days=limit)
    return found
