"""Which files hold the rows of a window."""

from __future__ import annotations

from pyiceberg.expressions import AlwaysTrue, And, BooleanExpression, GreaterThanOrEqual, LessThan
from pyiceberg.table import Table

from bartizan.model.window import Window, naive


def planned_files(
    table: Table, window: Window | None = None, column: str = "event_time"
) -> list[str]:
    """Local paths of the committed data files that can hold rows with `column` in `window`.

    Only whole-file commits are made in this lake, so no plan carries delete files; one that does
    was written by another tool and would be read wrongly, hence the assertion.
    """
    row_filter: BooleanExpression = AlwaysTrue()
    if window is not None:
        row_filter = And(
            GreaterThanOrEqual(column, naive(window.start).isoformat()),
            LessThan(column, naive(window.end).isoformat()),
        )
    tasks = list(table.scan(row_filter=row_filter).plan_files())
    assert not any(task.delete_files for task in tasks), f"{table.name()} has delete files"
    return sorted(task.file.file_path.removeprefix("file://") for task in tasks)
