"""The landing ledger: which objects were seen, in which batch, how far each batch has come."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, fields, replace
from datetime import datetime
from itertools import islice
from types import MappingProxyType

from sqlalchemy import func, select, update

from bartizan.errors import UsageError
from bartizan.model.landing import (
    Batch,
    BatchCounts,
    BatchState,
    ChangedObject,
    LogObject,
    ObjectCounts,
)
from bartizan.model.window import Window, format_time, parse_time
from bartizan.store.database import Store, insert_new, upsert
from bartizan.store.tables import (
    changed_hours,
    changed_objects,
    closed_hours,
    landing_batches,
    landing_objects,
)

_HOURS = select(changed_hours.c.hour).distinct().order_by(changed_hours.c.hour)


class Taken(UsageError):
    """Another worker registered one of the objects first; nothing was changed."""


def known_versions(store: Store, uris: Iterable[str]) -> dict[str, str]:
    """Version by URI of those objects that already belong to a batch."""
    columns = landing_objects.c
    query = select(columns.uri, columns.version)
    with store.transaction() as connection:
        return {
            row.uri: row.version
            for some in _slices(uris)
            for row in connection.execute(query.where(columns.uri.in_(some)))
        }


def renew_unread(store: Store, objects: Sequence[LogObject]) -> set[str]:
    """Note the present version of those objects of which nothing is landed: their batch is only
    planned, or was rejected. Returns their URIs.
    """
    columns, batches = landing_objects.c, landing_batches.c
    unread = (
        select(columns.uri)
        .join(landing_batches, batches.batch_id == columns.batch_id)
        .where(batches.state.in_([BatchState.PLANNED, BatchState.REJECTED]))
    )
    renewed: set[str] = set()
    with store.transaction() as connection:
        for some in _slices(item.uri for item in objects):
            renewed |= set(connection.execute(unread.where(columns.uri.in_(some))).scalars())
        for item in objects:
            if item.uri in renewed:
                values = {"version": item.version, "bytes": item.bytes}
                statement = update(landing_objects).where(columns.uri == item.uri)
                connection.execute(statement.values(values))
    return renewed


def known_changes(store: Store, uris: Iterable[str]) -> set[tuple[str, str]]:
    """URI and version of those changed objects that already belong to a batch."""
    columns = changed_objects.c
    query = select(columns.uri, columns.version)
    with store.transaction() as connection:
        return {
            (row.uri, row.version)
            for some in _slices(uris)
            for row in connection.execute(query.where(columns.uri.in_(some)))
        }


def _slices(uris: Iterable[str], size: int = 10_000) -> Iterator[tuple[str, ...]]:
    """As many as one statement may name."""
    rest = iter(uris)
    while some := tuple(islice(rest, size)):
        yield some


def add_batches(store: Store, batches: Sequence[Batch]) -> None:
    """Register new batches with their objects, all or none.

    Raises Taken when another worker registered one of the objects first; nothing is changed. Rows
    are written in the order of their keys, so that two workers wait for each other in one
    direction only.
    """
    ordered = sorted(batches, key=lambda one: one.id)
    objects = [vars(o) | {"batch_id": one.id} for one in ordered for o in one.objects]
    changed = [vars(o) | {"batch_id": one.id} for one in ordered for o in one.changed]
    with store.transaction() as connection:
        for batch in ordered:
            row = {"batch_id": batch.id, "state": batch.state, "objects": len(batch.objects)}
            insert_new(connection, landing_batches, [row | asdict(batch.counts)])
        for table, rows in ((landing_objects, objects), (changed_objects, changed)):
            rows.sort(key=lambda row: (row["uri"], row["version"]))
            if insert_new(connection, table, rows) != len(rows):
                raise Taken(
                    "landing",
                    "another worker registered one of its objects first",
                    "run again: what is left will be planned anew",
                )


def unpublished(store: Store, rejected: bool = False) -> list[str]:
    """Ids of the batches that are to be published, in order; those `rejected` only when asked."""
    ended = [BatchState.PUBLISHED] if rejected else [BatchState.PUBLISHED, BatchState.REJECTED]
    query = (
        select(landing_batches.c.batch_id)
        .where(landing_batches.c.state.not_in(ended))
        .order_by(landing_batches.c.batch_id)
    )
    with store.transaction() as connection:
        return list(connection.execute(query).scalars())


def in_state(store: Store, state: BatchState) -> list[str]:
    """Ids of the batches in a state, in order."""
    columns = landing_batches.c
    query = select(columns.batch_id).where(columns.state == state).order_by(columns.batch_id)
    with store.transaction() as connection:
        return list(connection.execute(query).scalars())


def validated(store: Store) -> list[str]:
    """Ids of all batches that were checked, the rejected ones first."""
    columns = landing_batches.c
    query = (
        select(columns.batch_id)
        .where(columns.state.not_in([BatchState.PLANNED, BatchState.STAGED]))
        .order_by(columns.state != BatchState.REJECTED, columns.batch_id)
    )
    with store.transaction() as connection:
        return list(connection.execute(query).scalars())


def load_batch(store: Store, batch_id: str) -> Batch:
    """A registered batch with its objects, sorted by URI. Raises UsageError for an unknown id."""
    with store.transaction() as connection:
        row = connection.execute(
            select(landing_batches).where(landing_batches.c.batch_id == batch_id)
        ).one_or_none()
        if row is None:
            raise UsageError("batch", f"{batch_id!r} is not registered", "plan it first")
        objects = connection.execute(
            select(landing_objects)
            .where(landing_objects.c.batch_id == batch_id)
            .order_by(landing_objects.c.uri)
        )
        changed = connection.execute(
            select(changed_objects)
            .where(changed_objects.c.batch_id == batch_id)
            .order_by(changed_objects.c.uri)
        )
        return Batch(
            id=batch_id,
            objects=tuple(LogObject(o.uri, o.version, o.bytes) for o in objects),
            state=BatchState(row.state),
            reason=row.reason,
            counts=BatchCounts(
                row.records, row.requests, row.rule_hits, row.duplicates, row.quarantined
            ),
            changed=tuple(ChangedObject(o.uri, o.version, o.bytes, o.landed) for o in changed),
        )


def save_counts(store: Store, batch: Batch, objects: Iterable[ObjectCounts]) -> None:
    """Store what a batch and its objects amount to, with the batch's state."""
    with store.transaction() as connection:
        connection.execute(
            update(landing_batches)
            .where(landing_batches.c.batch_id == batch.id)
            .values(state=batch.state, reason=batch.reason, **asdict(batch.counts))
        )
        by_uri = {item.uri: item for item in batch.objects}
        upsert(
            connection,
            landing_objects,
            [
                vars(counts) | vars(by_uri[counts.uri]) | {"batch_id": batch.id}
                for counts in objects
            ],
        )


def object_counts(store: Store, batch_id: str) -> list[ObjectCounts]:
    """What the objects of a batch amount to, sorted by URI."""
    columns = [landing_objects.c[field.name] for field in fields(ObjectCounts)]
    query = (
        select(*columns)
        .where(landing_objects.c.batch_id == batch_id)
        .order_by(landing_objects.c.uri)
    )
    with store.transaction() as connection:
        return [ObjectCounts(*row) for row in connection.execute(query)]


def set_state(store: Store, batch: Batch, state: BatchState, reason: str = "") -> Batch:
    """Move a batch to a state; returns the batch as it now is."""
    moved = replace(batch, state=state, reason=reason)
    save_counts(store, moved, ())
    return moved


def finish(
    store: Store,
    batch: Batch,
    hours: Iterable[datetime],
    closed: Mapping[datetime, int] = MappingProxyType({}),
) -> None:
    """Mark a batch published and announce its hours to those downstream, in one transaction.

    `closed` hours received that many requests too late and are only noted.
    """
    rows = [{"hour": format_time(hour), "batch_id": batch.id} for hour in sorted(hours)]
    late = [
        {"hour": format_time(hour), "batch_id": batch.id, "requests": requests}
        for hour, requests in sorted(closed.items())
    ]
    with store.transaction() as connection:
        insert_new(connection, changed_hours, rows)
        insert_new(connection, closed_hours, late)
        connection.execute(
            update(landing_batches)
            .where(landing_batches.c.batch_id == batch.id)
            .values(state=BatchState.PUBLISHED, reason="", **asdict(batch.counts))
        )


def hours_of(store: Store, batch_ids: Iterable[str]) -> list[datetime]:
    """The hours that the published batches changed, in order."""
    query = select(changed_hours.c.hour).where(changed_hours.c.batch_id.in_(list(batch_ids)))
    with store.transaction() as connection:
        return sorted({parse_time(hour) for hour in connection.execute(query).scalars()})


def closed_hours_of(store: Store, batch_ids: Iterable[str]) -> dict[datetime, int]:
    """How many requests the published batches brought too late, by hour, in order."""
    columns = closed_hours.c
    query = (
        select(columns.hour, func.sum(columns.requests))
        .where(columns.batch_id.in_(list(batch_ids)))
        .group_by(columns.hour)
        .order_by(columns.hour)
    )
    with store.transaction() as connection:
        return {parse_time(hour): int(requests) for hour, requests in connection.execute(query)}


def totals(store: Store) -> BatchCounts:
    """Counts over all published batches."""
    columns = [
        func.coalesce(func.sum(landing_batches.c[name]), 0).label(name)
        for name in ("records", "requests", "rule_hits", "duplicates", "quarantined")
    ]
    query = select(*columns).where(landing_batches.c.state == BatchState.PUBLISHED)
    with store.transaction() as connection:
        return BatchCounts(*connection.execute(query).one())


def object_count(store: Store) -> int:
    """How many objects of published batches there are."""
    query = select(func.coalesce(func.sum(landing_batches.c.objects), 0)).where(
        landing_batches.c.state == BatchState.PUBLISHED
    )
    with store.transaction() as connection:
        return int(connection.execute(query).scalar_one())


def changed_within(store: Store, window: Window) -> list[datetime]:
    """The hours of `window` that ever received requests, in order."""
    query = _HOURS.where(changed_hours.c.hour >= format_time(window.start)).where(
        changed_hours.c.hour < format_time(window.end)
    )
    with store.transaction() as connection:
        return [parse_time(hour) for hour in connection.execute(query).scalars()]


def landed_hours(store: Store) -> list[datetime]:
    """All hours that ever received requests, in order."""
    with store.transaction() as connection:
        return [parse_time(h) for h in connection.execute(_HOURS).scalars()]
