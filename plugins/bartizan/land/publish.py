"""Makes validated batches visible: one atomic commit per table, requests last."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq
from pyiceberg.exceptions import CommitFailedException

from bartizan.errors import TransientError, UsageError
from bartizan.lake import Lake, add_files
from bartizan.lake.batches import half_published
from bartizan.lake.lock import locked
from bartizan.lake.staged import staged_files
from bartizan.land.account import per_object_in
from bartizan.land.changed import write_changed
from bartizan.land.duplicates import arrived_before, without
from bartizan.land.late import LATEST_REOPEN, hours
from bartizan.model.landing import Batch, BatchState
from bartizan.store.database import Store
from bartizan.store.landing import (
    closed_hours_of,
    finish,
    hours_of,
    in_state,
    load_batch,
    object_counts,
    save_counts,
)


@dataclass(frozen=True)
class PublishResult:
    """`batch_ids` are published, those that a killed publisher had begun included; `hours` are
    those whose requests changed; `closed` those that received so many requests too late to be
    announced; `rejected` are (batch id, reason).
    """

    batch_ids: tuple[str, ...]
    hours: tuple[datetime, ...]
    closed: Mapping[datetime, int]
    rejected: tuple[tuple[str, str], ...]


def publish(
    store: Store,
    lake: Lake,
    batch_ids: Sequence[str],
    latest_reopen: timedelta | None = LATEST_REOPEN,
) -> PublishResult:
    """Publish the valid ones of the batches and announce their hours; skip the rejected ones.

    Hours that ended more than `latest_reopen` before the delivery are not announced (None: all
    are); their requests are published all the same.

    Records that an earlier batch published already are left out and counted as duplicates. May be
    stopped anywhere and run again. Raises UsageError, changing nothing, when a batch was not
    validated, and TransientError when another writer keeps winning the commit. One publisher works
    at a time: what it finds published, or not, stays so until its own commits are made. What a
    killed one began it ends first, asked for or not: which records that batch leaves out was
    decided by what was published then.
    """
    with locked(lake.root, "publish"):
        return _publish(store, lake, batch_ids, latest_reopen)


def _publish(
    store: Store, lake: Lake, batch_ids: Sequence[str], latest_reopen: timedelta | None
) -> PublishResult:
    batches = [load_batch(store, batch_id) for batch_id in batch_ids]
    for batch in batches:
        if batch.state in (BatchState.PLANNED, BatchState.STAGED):
            raise UsageError(f"batch {batch.id}", f"is only {batch.state}", "validate it first")
    half = half_published(lake, in_state(store, BatchState.VALID))
    begun = [load_batch(store, batch_id) for batch_id in half]
    valid = [batch for batch in batches if batch.state is BatchState.VALID]
    for batch in {one.id: one for one in (*begun, *valid)}.values():
        _publish_one(store, lake, batch, latest_reopen)
    rejected = tuple((one.id, one.reason) for one in batches if one.state is BatchState.REJECTED)
    passed = [one.id for one in batches if one.state is not BatchState.REJECTED]
    done = tuple(dict.fromkeys([*half, *passed]))
    return PublishResult(
        batch_ids=done,
        hours=tuple(hours_of(store, done)),
        closed=closed_hours_of(store, done),
        rejected=rejected,
    )


def _publish_one(store: Store, lake: Lake, batch: Batch, latest_reopen: timedelta | None) -> None:
    if batch.changed:
        write_changed(lake, batch)
    arrived = arrived_before(lake, batch.id)
    quarantine = staged_files(lake, "waf.quarantine", batch.id)
    hits = without(arrived, staged_files(lake, "waf.rule_hits", batch.id))
    requests = without(arrived, staged_files(lake, "waf.requests", batch.id))
    _commit(lake, "waf.quarantine", quarantine, batch.id)
    _commit(lake, "waf.rule_hits", hits, batch.id)
    _commit(lake, "waf.requests", requests, batch.id)
    if len(arrived):
        batch = _recounted(store, batch, requests, hits)
    divided = hours(batch, requests, latest_reopen)
    finish(store, batch, divided.opened, divided.closed)


def _recounted(store: Store, batch: Batch, requests: Sequence[Path], hits: Sequence[Path]) -> Batch:
    """The batch with the counts of what was published; the rest are duplicates."""
    published_rows: Counter[str] = Counter()
    for file in requests:
        published_rows += per_object_in(file)
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
