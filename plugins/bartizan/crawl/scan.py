"""What a query would read: the data files that can hold rows of its window."""

from __future__ import annotations

from dataclasses import dataclass

from bartizan.engines.sql import lake_tables, reads_waf_logs
from bartizan.lake import Lake
from bartizan.lake.read import current_files, within
from bartizan.model.window import Window


@dataclass(frozen=True)
class Scan:
    """Files of a lake table with all their rows and bytes: the most a query can read of it."""

    table: str
    files: int
    rows: int
    bytes: int


def scans(lake: Lake, query: str, window: Window) -> list[Scan]:
    """What the query reads of each lake table over the window, by its files' metadata alone."""
    names = {*lake_tables(query), *(["waf.requests"] if reads_waf_logs(query) else [])}
    return [_scan(lake, name, window) for name in sorted(names)]


def _scan(lake: Lake, name: str, window: Window) -> Scan:
    table = lake.table(name)
    column = "event_time" if name.startswith("waf.") else "bucket"
    if column in table.schema().column_names:
        tasks = table.scan(row_filter=within(column, window)).plan_files()
        files = [task.file for task in tasks]
    else:
        files = current_files(table)
    return Scan(
        table=name,
        files=len(files),
        rows=sum(file.record_count for file in files),
        bytes=sum(file.file_size_in_bytes for file in files),
    )
