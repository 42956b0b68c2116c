"""The stored results as one HTML page: no script, nothing loaded from elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from jinja2 import Environment, PackageLoader, StrictUndefined

from bartizan.model.landing import BatchCounts, BatchState
from bartizan.store.database import Store
from bartizan.store.landing import load_batch
from bartizan.store.validations import CheckResult, load_results

# What was observed quotes log records, which attackers write: everything is escaped.
_TEMPLATES = Environment(
    loader=PackageLoader("bartizan.validate"), autoescape=True, undefined=StrictUndefined
)


@dataclass(frozen=True)
class _BatchOnPage:
    id: str
    state: str
    rejected: bool
    reason: str
    objects: int
    counts: BatchCounts
    results: tuple[CheckResult, ...]


def render(store: Store, batch_ids: Sequence[str]) -> str:
    """A page about the batches in the order given. Raises UsageError for an unknown one."""
    batches = [_on_page(store, batch_id) for batch_id in batch_ids]
    return _TEMPLATES.get_template("validation.html.j2").render(batches=batches)


def _on_page(store: Store, batch_id: str) -> _BatchOnPage:
    batch = load_batch(store, batch_id)
    return _BatchOnPage(
        id=batch.id,
        state=batch.state,
        rejected=batch.state is BatchState.REJECTED,
        reason=batch.reason,
        objects=len(batch.objects),
        counts=batch.counts,
        results=load_results(store, batch_id),
    )
