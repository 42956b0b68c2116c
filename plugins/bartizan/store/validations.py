"""Results of the checks between staging and publishing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

from sqlalchemy import delete, insert, select

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
    table = validation_results
    query = select(table).order_by(table.c.position, table.c.batch_id)
    found: dict[tuple[str, str, str], list[CheckResult]] = {}
    with store.transaction() as connection:
        for row in connection.execute(query):
            result = CheckResult(row.expectation, row.subject, row.level, row.passed, row.observed)
            found.setdefault((row.expectation, row.subject, row.level), []).append(result)
    return [_over_batches(results) for results in found.values()]


def _over_batches(results: Sequence[CheckResult]) -> CheckResult:
    failed = [result for result in results if not result.passed]
    passed = f"passed in {len(results) - len(failed)} of {len(results)} batches"
    observed = f"{passed}; {failed[0].observed}" if failed else passed
    return replace(results[0], passed=not failed, observed=observed)
