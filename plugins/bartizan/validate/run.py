"""Checks staged batches: they become VALID or REJECTED."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from bartizan.errors import UsageError
from bartizan.lake import Lake
from bartizan.lake.lock import locked
from bartizan.model.landing import Batch, BatchState
from bartizan.store.database import Store
from bartizan.store.landing import load_batch, set_state
from bartizan.store.validations import CheckResult, load_results, save_results
from bartizan.validate import frames, suite

if TYPE_CHECKING:
    from bartizan.validate.checks import Checks


@dataclass(frozen=True)
class BatchVerdict:
    """`passed` when no expectation of level fail failed; `reason` names those that did."""

    batch_id: str
    passed: bool
    reason: str
    results: tuple[CheckResult, ...]


def validate(store: Store, lake: Lake, batch_ids: Sequence[str]) -> list[BatchVerdict]:
    """Check the staged ones of the batches; verdicts of all of them, in the order given.

    Batches that were validated before keep their verdict. Raises UsageError, changing nothing,
    when a batch is not staged.
    """
    batches = [load_batch(store, batch_id) for batch_id in batch_ids]
    for batch in batches:
        if batch.state is BatchState.PLANNED:
            raise UsageError(f"batch {batch.id}", "is only planned", "stage it first")
    staged = [batch.id for batch in batches if batch.state is BatchState.STAGED]
    if staged:
        checks = _checks()
        for batch_id in staged:
            with locked(lake.root, f"batch-{batch_id}"):
                batch = load_batch(store, batch_id)
                if batch.state is BatchState.STAGED:
                    _validate_one(store, lake, batch, checks)
    return [_verdict(store, batch_id) for batch_id in batch_ids]


def _validate_one(store: Store, lake: Lake, batch: Batch, checks: Mapping[str, Checks]) -> None:
    files = frames.staged(lake, batch)
    results = checks["account"].run(frames.account(batch, files))
    # Only an account that adds up says which files to read.
    if not _failed(results) and batch.counts.requests:
        results += checks["requests"].run(frames.requests(files))
    save_results(store, batch.id, results)
    failed = _failed(results)
    reason = "; ".join(f"{one.expectation} on {one.subject}: {one.observed}" for one in failed)
    set_state(store, batch, BatchState.REJECTED if failed else BatchState.VALID, reason)


def _failed(results: Sequence[CheckResult]) -> list[CheckResult]:
    return [one for one in results if one.level == suite.FAIL and not one.passed]


def _verdict(store: Store, batch_id: str) -> BatchVerdict:
    batch = load_batch(store, batch_id)
    passed = batch.state is not BatchState.REJECTED
    return BatchVerdict(batch_id, passed, batch.reason, load_results(store, batch_id))


@cache
def _checks() -> Mapping[str, Checks]:
    # Importing Great Expectations takes seconds: only for those who validate.
    from great_expectations import expectations as gxe  # noqa: PLC0415

    from bartizan.validate.checks import Checks  # noqa: PLC0415

    return {
        "account": Checks(suite.of_account(gxe)),
        "requests": Checks(suite.of_requests(gxe)),
    }
