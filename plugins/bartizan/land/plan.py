"""Registers new objects in batches: the first step of landing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from upath import UPath

from bartizan.land.listing import Listed, list_objects
from bartizan.model.landing import Batch, ChangedObject, LogObject
from bartizan.model.window import Window
from bartizan.store.database import Store
from bartizan.store.landing import (
    Taken,
    add_batches,
    known_changes,
    known_versions,
    renew_unread,
    unpublished,
)

MIB = 1024 * 1024
_NO_TIME = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Plan:
    """What there is to do.

    `batch_ids` are all batches to publish, those left over from an earlier run included.
    `changed` are new versions of objects that were landed before: objects are immutable by
    contract, so each version is quarantined once and not read. (What no batch has read yet is read
    as it now is.) `skipped` is how many files were not looked into, as their suffix is of another
    format.
    """

    batch_ids: tuple[str, ...]
    objects_new: int
    objects_known: int
    changed: tuple[ChangedObject, ...]
    skipped: int


def plan(
    store: Store,
    source: UPath,
    window: Window | None = None,
    objects_per_batch: int = 2000,
    bytes_per_batch: int = 32 * MIB,
    retry_rejected: bool = False,
) -> Plan:
    """Register the objects below `source` that are not in the ledger yet.

    `window` limits the listing to delivery times inside it. Batches that were rejected are left
    alone unless `retry_rejected` is set, so that one does not fail every later run. Of workers that
    plan at the same moment one registers an object, the others find it known. Raises UsageError
    when the source does not exist.
    """
    listing = list_objects(source, window)
    listed = {found.item.uri: found for found in listing.logs}
    while True:
        news = _unknown(store, listed)
        groups = cut(_by_delivery(news.objects), objects_per_batch, bytes_per_batch)
        batches = [Batch.of(group) for group in groups]
        if news.changed:
            batches.append(Batch.of_changed(news.changed))
        try:
            add_batches(store, batches)
        except Taken:
            continue  # those objects are known now, so that every round has fewer to register
        return Plan(
            batch_ids=tuple(unpublished(store, retry_rejected)),
            objects_new=len(news.objects),
            objects_known=len(listed) - len(news.objects),
            changed=news.changed,
            skipped=listing.skipped,
        )


@dataclass(frozen=True)
class _News:
    """What the ledger does not know yet."""

    objects: tuple[Listed, ...]
    changed: tuple[ChangedObject, ...]


def _unknown(store: Store, listed: Mapping[str, Listed]) -> _News:
    landed = known_versions(store, listed)
    objects = tuple(found for uri, found in listed.items() if uri not in landed)
    other = [
        listed[uri].item for uri, version in landed.items() if listed[uri].item.version != version
    ]
    unread = renew_unread(store, other)
    known = known_changes(store, (item.uri for item in other))
    changed = sorted(
        ChangedObject(item.uri, item.version, item.bytes, landed[item.uri])
        for item in other
        if item.uri not in unread and (item.uri, item.version) not in known
    )
    return _News(objects, tuple(changed))


def _by_delivery(found: Iterable[Listed]) -> list[LogObject]:
    """In order of delivery, so that a batch touches few hours."""
    ordered = sorted(found, key=lambda one: (one.delivered or _NO_TIME, one.item.uri))
    return [one.item for one in ordered]


def cut(
    objects: Iterable[LogObject], most_objects: int, most_bytes: int
) -> Iterator[list[LogObject]]:
    """Consecutive groups within both limits; a larger single object makes a group of its own."""
    group: list[LogObject] = []
    size = 0
    for item in objects:
        if group and (len(group) == most_objects or size + item.bytes > most_bytes):
            yield group
            group, size = [], 0
        group.append(item)
        size += item.bytes
    if group:
        yield group
