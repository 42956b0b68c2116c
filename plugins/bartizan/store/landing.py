"""The landing ledger: which objects were seen, in which batch, how far each batch has come."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, fields, replace
from datetime import datetime

from sqlalchemy import func, select, update

from bartizan.errors import UsageError
from bartizan.model.landing import Batch, BatchCounts, BatchState, LogObject, ObjectCounts
from bartizan.model.window import Window, format_time, parse_time
from bartizan.store.database import Store, insert_new, upsert
from bartizan.store.tables import changed_hours, landing_batches, landing_objects

_HOURS = select(changed_hours.c.hour).distinct().order_by(changed_hours.c.hour)


def known_versions(store: Store, uris: Iterable[str]) -> dict[str, str]:
    """Version by URI of those objects that already belong to a batch."""
    wanted = set(uris)
    with store.transaction() as connection:
        rows = connection.execute(select(landing_objects.c.uri, landing_objects.c.version))
        return {row.uri: row.version for row in rows if row.uri in wanted}


def add_batches(store: Store, batches: Sequence[Batch]) -> None:
    """Register new batches with their objects, all or none.

    Raises UsageError when another worker registered one of the objects first; nothing is changed.
    """
    with store.transaction() as connection:
        for batch in batches:
            row = {"batch_id": batch.id, "state": BatchState.PLANNED, "objects": len(batch.objects)}
            insert_new(connection, landing_batches, [row])
            rows = [asdict(item) | {"batch_id": batch.id} for item in batch.objects]
            if insert_new(connection, landing_objects, rows) != len(rows):
                raise UsageError(
                    f"batch {batch.id}",
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
        return Batch(
            id=batch_id,
            objects=tuple(LogObject(o.uri, o.version, o.bytes) for o in objects),
            state=BatchState(row.state),
            reason=row.reason,
            counts=BatchCounts(
                row.records, row.requests, row.rule_hits, row.duplicates, row.quarantined
            ),
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
                asdict(counts) | asdict(by_uri[counts.uri]) | {"batch_id": batch.id}
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


def finish(store: Store, batch: Batch, hours: Iterable[datetime]) -> None:
    """Mark a batch published and announce its hours to those downstream, in one transaction."""
    rows = [{"hour": format_time(hour), "batch_id": batch.id} for hour in sorted(hours)]
    with store.transaction() as connection:
        insert_new(connection, changed_hours, rows)
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
