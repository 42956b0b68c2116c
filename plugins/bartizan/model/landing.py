"""Objects, batches and what became of their records."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from bartizan.model.ids import digest


@dataclass(frozen=True, order=True)
class LogObject:
    """One raw log file, immutable by contract. `version` is its etag, or size and mtime."""

    uri: str
    version: str
    bytes: int


@dataclass(frozen=True, order=True)
class ChangedObject:
    """An object that was found under another version than the one `landed` before it."""

    uri: str
    version: str
    bytes: int
    landed: str


class BatchState(StrEnum):
    PLANNED = "planned"
    STAGED = "staged"
    VALID = "valid"
    REJECTED = "rejected"
    PUBLISHED = "published"


@dataclass(frozen=True)
class BatchCounts:
    """records = requests + duplicates + quarantined."""

    records: int = 0
    requests: int = 0
    rule_hits: int = 0
    duplicates: int = 0
    quarantined: int = 0


@dataclass(frozen=True)
class ObjectCounts:
    """The same account for one object."""

    uri: str
    records: int
    requests: int
    duplicates: int
    quarantined: int


@dataclass(frozen=True)
class Batch:
    """A set of objects landed together; the id is a hash of their identities.

    Objects that changed make batches of their own, which are valid from the start: they are not
    read, so there is nothing to decode or to check, and each is one record in quarantine.
    """

    id: str
    objects: tuple[LogObject, ...]
    state: BatchState = BatchState.PLANNED
    reason: str = ""
    counts: BatchCounts = BatchCounts()
    changed: tuple[ChangedObject, ...] = ()

    @classmethod
    def of(cls, objects: Iterable[LogObject]) -> Batch:
        ordered = tuple(sorted(objects))
        return cls(digest(f"{o.uri}\x1f{o.version}" for o in ordered), ordered)

    @classmethod
    def of_changed(cls, changed: Iterable[ChangedObject]) -> Batch:
        ordered = tuple(sorted(changed))
        batch_id = digest(f"{o.uri}\x1f{o.version}\x1f{o.landed}" for o in ordered)
        counts = BatchCounts(records=len(ordered), quarantined=len(ordered))
        return cls(batch_id, (), BatchState.VALID, counts=counts, changed=ordered)
