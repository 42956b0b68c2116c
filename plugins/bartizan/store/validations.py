"""Results of the checks between staging and publishing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import case, delete, func, insert, select

from bartizan.store.database import Store
from bartizan.store.tables import validation_results


@dataclass(frozen=True)
class CheckResult:
    """Outcome of one expectation. `level` is fail (the batch is rejected) or warn."""

    expectation: str
    subject: str  # a column, or the table
    level: str
    passed: bool
    observed: str


def save_results(store: Store, batch_id: str, results: Sequence[CheckResult]) -> None:
    """Store the results of a batch in place of those of an earlier run."""
    rows = [
        asdict(result) | {"batch_id": batch_id, "position": position}
        for position, result in enumerate(results)
    ]
    with store.transaction() as connection:
        connection.execute(
            delete(validation_results).where(validation_results.c.batch_id == batch_id)
        )
        if rows:
            connection.execute(insert(validation_results), rows)


def load_results(store: Store, batch_id: str) -> tuple[CheckResult, ...]:
    """The results of a batch in the order of the suite; empty if it was not validated."""
    table = validation_results
    query = (
        select(
            table.c.expectation, table.c.subject, table.c.level, table.c.passed, table.c.observed
        )
        .where(table.c.batch_id == batch_id)
        .order_by(table.c.position)
    )
    with store.transaction() as connection:
        return tuple(CheckResult(*row) for row in connection.execute(query))


def outcomes(store: Store) -> list[CheckResult]:
    """Each expectation once over all batches: passed when it passed everywhere; `observed` says in
    how many batches, and what the first failing batch showed."""
    table = validation_results.c
    columns = (table.expectation, table.subject, table.level)
    good = func.sum(case((table.passed, 1), else_=0))
    counts = select(*columns, func.count().label("batches"), good.label("good")).group_by(*columns)
    counts = counts.order_by(func.min(table.position), *columns)
    failed = select(*columns, table.observed).where(table.passed.is_(False))
    failed = failed.order_by(table.position.desc(), table.batch_id.desc())
    with store.transaction() as connection:
        shown = {tuple(row[:3]): row.observed for row in connection.execute(failed)}
        return [_over_batches(row, shown) for row in connection.execute(counts)]


def _over_batches(row: Any, first_failure: Mapping[tuple[str, ...], str]) -> CheckResult:
    observed = f"passed in {row.good} of {row.batches} batches"
    failure = first_failure.get(tuple(row[:3]))
    return CheckResult(
        row.expectation,
        row.subject,
        row.level,
        passed=failure is None,
        observed=observed if failure is None else f"{observed}; {failure}",
    )
