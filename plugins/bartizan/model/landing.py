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
    """A set of objects landed together; the id is a hash of their identities."""

    id: str
    objects: tuple[LogObject, ...]
    state: BatchState = BatchState.PLANNED
    reason: str = ""
    counts: BatchCounts = BatchCounts()

    @classmethod
    def of(cls, objects: Iterable[LogObject]) -> Batch:
        ordered = tuple(sorted(objects))
        return cls(digest(f"{o.uri}\x1f{o.version}" for o in ordered), ordered)
