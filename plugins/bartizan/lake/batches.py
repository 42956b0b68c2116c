"""Which batches a lake's upkeep must leave alone."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from bartizan.lake.catalog import Lake
from bartizan.lake.publish import batches_in
from bartizan.lake.schemas import LANDED


@dataclass(frozen=True)
class Batches:
    """Batch ids by what the landing ledger says: published, or registered and not published."""

    published: frozenset[str]
    unfinished: frozenset[str]


Ledger = Callable[[], Batches]  # asked under the lock that publishing holds


def half_published(lake: Lake, unfinished: Collection[str]) -> list[str]:
    """Those of the unfinished batches that have a commit in one of the landing tables already."""
    begun = {batch for name in LANDED for batch in batches_in(lake.table(name))}
    return sorted(begun.intersection(unfinished))
