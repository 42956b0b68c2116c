"""Which files hold the rows of a window."""

from __future__ import annotations

from pyiceberg.expressions import AlwaysTrue
from pyiceberg.manifest import DataFile
from pyiceberg.table import Table

from bartizan.model.window import Window, naive


def planned_files(
    table: Table, window: Window | None = None, column: str = "event_time"
) -> list[str]:
    """Local paths of the committed data files that can hold rows with `column` in `window`.

    Only whole-file commits are made in this lake, so no plan carries delete files; one that does
    was written by another tool and would be read wrongly, hence the assertion.
    """
    row_filter = AlwaysTrue() if window is None else within(column, window)
    tasks = list(table.scan(row_filter=row_filter).plan_files())
    assert not any(task.delete_files for task in tasks), f"{table.name()} has delete files"
    return sorted(task.file.file_path.removeprefix("file://") for task in tasks)


def current_files(table: Table) -> list[DataFile]:
    """All data files of the table's current snapshot, with their partitions, sizes and rows."""
    return [task.file for task in table.scan().plan_files()]


def within(column: str, window: Window) -> str:
    """The rows of a table whose `column` lies in `window`, as an Iceberg row filter."""
    start, end = naive(window.start), naive(window.end)
    return f"{column} >= '{start.isoformat()}' and {column} < '{end.isoformat()}'"
