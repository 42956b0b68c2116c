"""Checks staged batches: they become VALID or REJECTED."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import pandas as pd

from bartizan.errors import UsageError
from bartizan.lake import Lake
from bartizan.lake.lock import locked
from bartizan.model.landing import Batch, BatchState
from bartizan.store.database import Store
from bartizan.store.landing import load_batch, set_state
from bartizan.store.validations import CheckResult, load_results, save_results
from bartizan.validate import frames, suite

# Counts and a few examples: what is shown. The default asks for the index of each row, too.
_FORMAT = {"result_format": "BASIC", "partial_unexpected_count": 3}


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


def _validate_one(store: Store, lake: Lake, batch: Batch, checks: _Checks) -> None:
    files = frames.staged(lake, batch)
    results = checks.run("account", frames.account(batch, files))
    # Only an account that adds up says which files to read.
    if not _failed(results) and batch.counts.requests:
        results += checks.run("requests", frames.requests(files))
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


class _Checks:
    """Great Expectations, set up once."""

    def __init__(self) -> None:
        # Importing it takes seconds: only for those who validate.
        import great_expectations as gx  # noqa: PLC0415
        from great_expectations import expectations as gxe  # noqa: PLC0415
        from great_expectations.data_context.types.base import ProgressBarsConfig  # noqa: PLC0415

        context = gx.get_context(mode="ephemeral")
        context.variables.progress_bars = ProgressBarsConfig(
            globally=False, metric_calculations=False
        )
        source = context.data_sources.add_pandas("staged")
        self._definitions: dict[str, Any] = {}
        for name, expectations in (
            ("account", suite.of_account(gxe)),
            ("requests", suite.of_requests(gxe)),
        ):
            asset = source.add_dataframe_asset(name)
            self._definitions[name] = context.validation_definitions.add(
                gx.ValidationDefinition(
                    name=name,
                    data=asset.add_batch_definition_whole_dataframe("whole"),
                    suite=context.suites.add(gx.ExpectationSuite(name, expectations=expectations)),
                )
            )

    def run(self, name: str, frame: pd.DataFrame) -> list[CheckResult]:
        outcome = self._definitions[name].run(
            batch_parameters={"dataframe": frame}, result_format=_FORMAT
        )
        return [_result(one) for one in outcome.results]


@cache
def _checks() -> _Checks:
    return _Checks()


def _result(outcome: Any) -> CheckResult:
    config = outcome.expectation_config
    kwargs = config.kwargs
    subject = kwargs.get("column") or f"{kwargs['column_A']} = {kwargs['column_B']}"
    return CheckResult(
        expectation=config.type,
        subject=subject,
        level=config.meta["level"],
        passed=bool(outcome.success),
        observed=_observed(outcome),
    )


def _observed(outcome: Any) -> str:
    """What was found, as one line; examples come from log records and are not to be trusted."""
    if outcome.exception_info.get("raised_exception"):
        return str(outcome.exception_info["exception_message"])[:500]
    found = outcome.result
    unexpected, rows = found.get("unexpected_count", 0), found.get("element_count", 0)
    text = f"{unexpected} of {rows} rows unexpected"
    examples = [repr(value) for value in found.get("partial_unexpected_list", [])]
    return f"{text}, such as {', '.join(examples)}"[:500] if examples else text
