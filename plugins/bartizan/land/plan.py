"""Registers new objects in batches: the first step of landing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from upath import UPath

from bartizan.land.listing import Listed, list_objects
from bartizan.model.landing import Batch, LogObject
from bartizan.model.window import Window
from bartizan.store.database import Store
from bartizan.store.landing import add_batches, known_versions, unpublished

MIB = 1024 * 1024
_NO_TIME = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Plan:
    """What there is to do.

    `batch_ids` are all batches to publish, those left over from an earlier run included.
    `changed` are objects that were landed under another version: objects are immutable by
    contract, so they are reported and not read again. `skipped` is how many files were not looked
    into, as their suffix is of another format.
    """

    batch_ids: tuple[str, ...]
    objects_new: int
    objects_known: int
    changed: tuple[LogObject, ...]
    skipped: int


def plan(
    store: Store,
    source: UPath,
    window: Window | None = None,
    objects_per_batch: int = 3000,
    bytes_per_batch: int = 256 * MIB,
    retry_rejected: bool = False,
) -> Plan:
    """Register the objects below `source` that are not in the ledger yet.

    `window` limits the listing to delivery times inside it. Batches that were rejected are left
    alone unless `retry_rejected` is set, so that one does not fail every later run. Raises
    UsageError when the source does not exist or another worker registers the same objects at the
    same moment.
    """
    listing = list_objects(source, window)
    listed = listing.logs
    known = known_versions(store, (found.item.uri for found in listed))
    new = [found for found in listed if found.item.uri not in known]
    changed = [
        found.item
        for found in listed
        if known.get(found.item.uri, found.item.version) != found.item.version
    ]
    groups = cut(_by_delivery(new), objects_per_batch, bytes_per_batch)
    add_batches(store, [Batch.of(group) for group in groups])
    return Plan(
        batch_ids=tuple(unpublished(store, retry_rejected)),
        objects_new=len(new),
        objects_known=len(listed) - len(new),
        changed=tuple(sorted(changed)),
        skipped=listing.skipped,
    )


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
