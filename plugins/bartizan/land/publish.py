"""Makes validated batches visible: one atomic commit per table, requests last."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import pyarrow.parquet as pq
from pyiceberg.exceptions import CommitFailedException

from bartizan.errors import TransientError, UsageError
from bartizan.lake import Lake, add_files
from bartizan.lake.lock import locked
from bartizan.lake.publish import published
from bartizan.lake.staged import hour_of, staged_files
from bartizan.land.account import per_object
from bartizan.land.duplicates import arrived_before, without
from bartizan.model.landing import Batch, BatchState
from bartizan.store.database import Store
from bartizan.store.landing import finish, hours_of, load_batch, object_counts, save_counts


@dataclass(frozen=True)
class PublishResult:
    """`hours` are those whose requests changed; `rejected` are (batch id, reason)."""

    batch_ids: tuple[str, ...]
    hours: tuple[datetime, ...]
    rejected: tuple[tuple[str, str], ...]


def publish(store: Store, lake: Lake, batch_ids: Sequence[str]) -> PublishResult:
    """Publish the valid ones of the batches and announce their hours; skip the rejected ones.

    Records that an earlier batch published already are left out and counted as duplicates. May be
    stopped anywhere and run again. Raises UsageError, changing nothing, when a batch was not
    validated, and TransientError when another writer keeps winning the commit. One publisher works
    at a time: what it finds published, or not, stays so until its own commits are made.
    """
    with locked(lake.root, "publish"):
        return _publish(store, lake, batch_ids)


def _publish(store: Store, lake: Lake, batch_ids: Sequence[str]) -> PublishResult:
    batches = [load_batch(store, batch_id) for batch_id in batch_ids]
    for batch in batches:
        if batch.state in (BatchState.PLANNED, BatchState.STAGED):
            raise UsageError(f"batch {batch.id}", f"is only {batch.state}", "validate it first")
    valid = [batch for batch in batches if batch.state is BatchState.VALID]
    # What a killed run began is ended first: what it left out depends on what was there then.
    for batch in sorted(valid, key=lambda one: not _begun(lake, one)):
        _publish_one(store, lake, batch)
    rejected = tuple((one.id, one.reason) for one in batches if one.state is BatchState.REJECTED)
    done = tuple(one.id for one in batches if one.state is not BatchState.REJECTED)
    return PublishResult(done, tuple(hours_of(store, done)), rejected)


def _begun(lake: Lake, batch: Batch) -> bool:
    return published(lake.table("waf.rule_hits"), batch.id)


def _publish_one(store: Store, lake: Lake, batch: Batch) -> None:
    arrived = arrived_before(lake, batch.id)
    quarantine = staged_files(lake, "waf.quarantine", batch.id)
    hits = without(arrived, staged_files(lake, "waf.rule_hits", batch.id))
    requests = without(arrived, staged_files(lake, "waf.requests", batch.id))
    _commit(lake, "waf.quarantine", quarantine, batch.id)
    _commit(lake, "waf.rule_hits", hits, batch.id)
    _commit(lake, "waf.requests", requests, batch.id)
    if len(arrived):
        batch = _recounted(store, batch, requests, hits)
    finish(store, batch, {hour_of(file) for file in requests})


def _recounted(store: Store, batch: Batch, requests: Sequence[Path], hits: Sequence[Path]) -> Batch:
    """The batch with the counts of what was published; the rest are duplicates."""
    published_rows: Counter[str] = Counter()
    for file in requests:
        published_rows += per_object(
            pq.read_table(file, columns=["source_object"], partitioning=None)
        )
    objects = [
        replace(
            one,
            requests=published_rows[one.uri],
            duplicates=one.records - one.quarantined - published_rows[one.uri],
        )
        for one in object_counts(store, batch.id)
    ]
    counts = replace(
        batch.counts,
        requests=sum(one.requests for one in objects),
        duplicates=sum(one.duplicates for one in objects),
        rule_hits=sum(pq.read_metadata(file).num_rows for file in hits),
    )
    batch = replace(batch, counts=counts)
    save_counts(store, batch, objects)
    return batch


def _commit(lake: Lake, name: str, files: Sequence[Path], batch_id: str) -> None:
    if not files:
        return
    try:
        add_files(lake.table(name), files, batch_id)
    except CommitFailedException as error:
        raise TransientError(name, f"commit of batch {batch_id} lost: {error}", "retry") from error
