"""One batch: what it amounts to, and each check of it."""

from __future__ import annotations

from dataclasses import dataclass

from bartizan.model.landing import BatchCounts
from bartizan.store import Store
from bartizan.store.landing import load_batch
from bartizan.store.validations import CheckResult, load_results


@dataclass(frozen=True)
class BatchPage:
    id: str
    state: str
    reason: str
    objects: int
    counts: BatchCounts
    checks: tuple[CheckResult, ...]


def batch_page(store: Store, batch_id: str) -> BatchPage:
    """Raises UsageError for an unknown batch."""
    batch = load_batch(store, batch_id)
    return BatchPage(
        batch.id,
        batch.state.value,
        batch.reason,
        len(batch.objects) + len(batch.changed),
        batch.counts,
        load_results(store, batch_id),
    )
