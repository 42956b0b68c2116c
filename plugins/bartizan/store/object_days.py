"""What became of the log objects of one day: by the place and the hour that their paths name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, or_, select

from bartizan.model.delivery import delivered
from bartizan.model.landing import BatchState
from bartizan.model.window import DAY, HOUR, Window, floor, format_time, parse_time
from bartizan.store.database import Store
from bartizan.store.tables import changed_hours, closed_hours, landing_batches, landing_objects


@dataclass(frozen=True)
class LandedObject:
    """`place` are the folders above the time of its path, such as `.../eu-west-1/app-portal`."""

    place: str
    hour: datetime
    state: BatchState
    records: int
    requests: int
    duplicates: int
    quarantined: int


def objects_of(store: Store, day: datetime) -> Iterator[LandedObject]:
    """Objects that were delivered on the UTC day that holds `day`; those whose paths name no time
    belong to none."""
    window = Window(floor(day, DAY), floor(day, DAY) + DAY)
    uri, start = landing_objects.c.uri, window.start
    folders = (f"%/{start:%Y/%m/%d}/%", f"%={start:%Y}/%={start:%m}/%={start:%d}/%")  # hive keys
    query = (
        select(landing_objects, landing_batches.c.state)
        .join(landing_batches, landing_batches.c.batch_id == landing_objects.c.batch_id)
        .where(or_(*(uri.like(one) for one in folders)))
        .order_by(uri)
    )
    with store.transaction() as connection:
        rows = connection.execute(query).all()
    for row in rows:
        found = delivered(row.uri)
        if found is not None and window.start <= found.start < window.end:
            yield LandedObject(
                place=_place(row.uri, found),
                hour=floor(found.start, HOUR),
                state=BatchState(row.state),
                records=row.records,
                requests=row.requests,
                duplicates=row.duplicates,
                quarantined=row.quarantined,
            )


def late_of(store: Store, day: datetime) -> dict[datetime, int]:
    """Requests of the hours of a UTC day that came too late for them."""
    start = floor(day, DAY)
    query = (
        select(closed_hours.c.hour, func.sum(closed_hours.c.requests))
        .where(closed_hours.c.hour >= format_time(start))
        .where(closed_hours.c.hour < format_time(start + DAY))
        .group_by(closed_hours.c.hour)
    )
    with store.transaction() as connection:
        return {parse_time(hour): int(count) for hour, count in connection.execute(query)}


def last_landed(store: Store) -> datetime | None:
    """The last hour that has requests."""
    with store.transaction() as connection:
        last = connection.execute(select(func.max(changed_hours.c.hour))).scalar_one()
    return parse_time(last) if last else None


def _place(uri: str, time: Window) -> str:
    """The path up to the last folder that names the year: a web ACL may be called so, too."""
    folders = uri.split("/")
    year = f"{time.start:%Y}"
    at = max(i for i, name in enumerate(folders[:-1]) if name.rpartition("=")[2] == year)
    return "/".join(folders[:at])
